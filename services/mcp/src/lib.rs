//! hindcast-mcp.
