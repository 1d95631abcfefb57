"""`python -m ecni.supervisor > docs/nginx.conf`: the proxy of docker-compose.yml, from the template of this host's."""

from ecni.supervisor.nginx import CONTAINERS, render

print(render(CONTAINERS), end="")  # noqa: T201 -- what this command is for
