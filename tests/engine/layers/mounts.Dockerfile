# restage.toml: cache = "mount"
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends tree && rm -rf /var/lib/apt/lists/*
RUN pip install --no-compile --no-cache-dir six
CMD ["tree", "--version"]
