"""The candidate's socket: a bare ASGI application, its sessions, and what one process shares between them.

`socket` frames, `session` decides what to do with a frame, `hub` holds the sessions of the process, `batch` gathers
their database work. Nothing here runs the ORM on the event loop.
"""
