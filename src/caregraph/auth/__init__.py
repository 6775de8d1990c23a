"""Who asks: the viewer, and how a request's credentials become one."""
