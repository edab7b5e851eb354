"""Contract level: `connectors.contract.Remote` straight on the stand-ins' models, without HTTP or a vendor's library.

`door` is where a call goes wrong; `desk` and `site` are the two remotes, written apart from the connectors.
"""
