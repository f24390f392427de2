# pip's cache in a layer of its own.
FROM python:3.11-slim
RUN pip install --no-compile six
RUN rm -rf /root/.cache/pip
CMD ["python", "-c", "import six; print(six.__name__)"]
