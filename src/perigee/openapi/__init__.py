"""The OpenAPI file of `/api`, its interactive page, and the table of what the contract asks for and what is served."""
