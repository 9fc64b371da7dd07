"""The classic way to keep a slow look-up from being done again: Flask, with Redis as cache.

What is not in Redis is fetched from the box office over kept connections and put there for as long as its
`Cache-Control` says. One `GET` of Redis answers a hit: fields and body are one value.
"""

import json
import os
import re

import redis
import urllib3
from flask import Flask, Response, request

# The origin of all contenders: they answer the same bytes, and one place counts what was computed.
ORIGIN = os.environ["ORIGIN"]
# As many connections as this process has threads: none waits for another's.
THREADS = int(os.environ["THREADS"])

# What an answer keeps; the rest belongs to one connection.
KEPT = ("Content-Type", "Cache-Control", "Cache-Tag", "ETag", "Content-Security-Policy", "X-Content-Type-Options",
        "Referrer-Policy")
MAX_AGE = re.compile(r"(?:^|[,\s])max-age=(\d+)")

app = Flask(__name__, static_folder=None)
cache = redis.Redis(
    host="127.0.0.1", port=int(os.environ["REDIS_PORT"]), max_connections=THREADS, socket_timeout=5)
origin = urllib3.connection_from_url(
    ORIGIN, maxsize=THREADS, block=True, timeout=30, retries=False)


def load(target):
    """Asks the origin, and remembers the answer where it may be shared."""
    answer = origin.request("GET", target, headers={"Host": "localhost"})
    fields = [(name, answer.headers[name]) for name in KEPT if name in answer.headers]
    control = answer.headers.get("Cache-Control", "")
    lifetime = MAX_AGE.search(control)
    if answer.status == 200 and lifetime and "private" not in control and "no-store" not in control:
        head = json.dumps(fields).encode()
        cache.set(f"page:{target}", head + b"\n" + answer.data, ex=max(1, int(lifetime[1])))
    return Response(answer.data, answer.status, fields)


@app.get("/")
@app.get("/<path:_path>")
def show(_path=""):
    target = request.environ["RAW_URI"]
    kept = cache.get(f"page:{target}")
    if kept is None:
        return load(target)
    head, _, body = kept.partition(b"\n")
    return Response(body, 200, json.loads(head))
