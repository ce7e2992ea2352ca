# The product for production: web, worker and beat are this image with different commands.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements/app.txt /requirements.txt
RUN /venv/bin/pip install --require-hashes -r /requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=dentalclean.settings DATA_DIR=/data BIND=0.0.0.0 PORT=8000
RUN useradd --system --uid 10001 --home-dir /data dentalclean \
    && install -d -m 0700 -o dentalclean -g dentalclean /data
COPY --from=build /venv /venv
WORKDIR /app
COPY manage.py ./
COPY templates templates
COPY static static
COPY locale locale
COPY customers customers
COPY consent consent
COPY disclosures disclosures
COPY retention retention
COPY privacy_requests privacy_requests
COPY dentalclean dentalclean
# Static files need no secrets: a house of its own draws some, and they go with this layer's shell
RUN DENTALCLEAN_EMBEDDED=1 DATA_DIR=/tmp/build \
    python manage.py collectstatic --no-input --verbosity 0 \
    && mv /tmp/build/static /app/staticfiles && rm -rf /tmp/build
USER dentalclean
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s CMD ["python", "-c", \
    "import os, urllib.request as u; host = os.environ['ALLOWED_HOSTS'].split(',')[0]; \
    u.urlopen(u.Request('http://127.0.0.1:8000/healthz', headers={'Host': host}), timeout=4)"]
CMD ["gunicorn", "-c", "python:dentalclean.gunicorn"]
