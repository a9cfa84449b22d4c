"""Readers of other systems: code hosts, deployment tools, model registries, web servers and MCP servers."""
