"""PostgreSQL and Redis as the web role reaches them: connections that outlive a request, and are counted.

Under ASGI each request has a thread of its own, so that Django would open a PostgreSQL server process for each one
(measured: most of what an entry by slip cost), and as many at once as there are requests.
"""
