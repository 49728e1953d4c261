"""What all routes share: server, bodies, who asks, problems, OpenAPI."""
