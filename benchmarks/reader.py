"""The floor of the import benchmark, a process of its own: reads every page of the export and decodes it, no more."""

from __future__ import annotations

import json
import os
import sys
import time

import msgspec
import requests


def main(url: str, core: int) -> None:
    """Read everything, then tell records and seconds on the standard output."""
    os.sched_setaffinity(0, {core})
    session = requests.Session()
    session.trust_env = False
    grant = {"grant_type": "client_credentials", "client_id": "hypercare", "client_secret": "sandbox-client-secret"}
    token = session.post(f"{url}/oauth/tokens", json={**grant, "scope": "read write"}).json()["access_token"]
    session.headers["authorization"] = f"Bearer {token}"
    start = int(time.time()) - 90 * 86400
    records, asked = 0, {"per_page": "1000", "include": "users", "start_time": str(start)}
    began = time.perf_counter()
    while True:
        answer = session.get(f"{url}/api/v2/incremental/tickets/cursor.json", params=asked)
        page = msgspec.json.decode(answer.content)
        records += len(page["tickets"])
        if page["end_of_stream"]:
            break
        asked = {"per_page": "1000", "include": "users", "cursor": page["after_cursor"]}
    print(json.dumps({"records": records, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
