# The house in one image: its default command serves; `docker-compose.yml` gives the others. Needs the environment of docs/configuration.md.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --uid 10001 --create-home ecni && install -d -o ecni /srv/ecni /srv/ecni/papers /srv/ecni/results /srv/ecni/static
WORKDIR /app

COPY requirements/base.txt requirements/base.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/base.txt

COPY manage.py ./
COPY ecni ecni
COPY exams exams
COPY centres centres
COPY grading grading
COPY ranking ranking
COPY templates templates
COPY static static

USER ecni
EXPOSE 8000
# As ecni/supervisor/servers.py has it, held equal by tests/house/test_roles.py; the proxy alone is trusted for addresses.
CMD ["python", "-m", "daphne", "--endpoint", "tcp:port=8000:interface=0.0.0.0:backlog=4096", "--verbosity", "0", "--http-timeout", "60", "--ping-interval", "60", "--ping-timeout", "30", "--websocket_connect_timeout", "30", "--websocket_timeout", "86400", "--websocket-max-message-size", "1048576", "--websocket-max-frame-size", "65536", "--application-close-timeout", "10", "--proxy-headers", "ecni.asgi:application"]
