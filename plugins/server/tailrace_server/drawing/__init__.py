"""Pictures of SVG and marked texts, made on the server without any script; what they say is escaped."""
