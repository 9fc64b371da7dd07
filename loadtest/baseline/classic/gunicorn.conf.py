"""gunicorn as one sets it up for an application that waits for others: threads, and connections that nginx may keep."""

import os

workers = 3
# The synchronous worker closes each connection and lets one slow look-up block all behind it.
worker_class = "gthread"
threads = int(os.environ["THREADS"])
keepalive = 75
backlog = 2048
# Heartbeats are files: on a disk they can block a worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
preload_app = False
accesslog = None
