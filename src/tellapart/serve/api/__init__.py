"""HTTP: routes, bodies, messages, errors and the OpenAPI document."""
