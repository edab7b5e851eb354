"""The connector for API gateways: signatures folded from call logs, their state owned by the hub."""
