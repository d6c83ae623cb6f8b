"""Web push: RFC 8030 to the browser's push service, encrypted (RFC 8291) and signed for the site (RFC 8292).

Encryption and signatures are written over `cryptography`: the libraries for them do the same calls in the same time,
but have no types, come as source only or bring an HTTP client of their own whose defaults drop messages.
"""
