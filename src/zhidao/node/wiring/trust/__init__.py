"""Trust put together: its log, its anchors on a chain, its titles, its witnesses."""
