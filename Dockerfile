# The product for production: web, worker and beat are this image with different commands.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements/app.txt /requirements.txt
RUN /venv/bin/pip install --no-deps --require-hashes -r /requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=dentalclean.settings DATA_DIR=/data BIND=0.0.0.0 PORT=8000
RUN useradd --system --uid 10001 --home-dir /data dentalclean \
    && install -d -m 0700 -o dentalclean -g dentalclean /data /seals /erasures
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
COPY marketing marketing
COPY dentalclean dentalclean
# Gathering files needs settings but no real secret: these are drawn here and kept nowhere
RUN python -c "from dentalclean.embedded.keys import generate; \
    print(*(f'{name}={value}' for name, value in generate().items()), sep='\n')" > /tmp/drawn \
    && env $(cat /tmp/drawn) DATABASE_URL=postgres:///none BROKER_URL=redis://none \
    CACHE_URL=redis://none EMAIL_URL=smtp://none MAIL_FROM=none@example.com \
    SITE_URL=https://none ALLOWED_HOSTS=none CONTROLLER_NAME=none \
    CONTROLLER_ORGANISATION_NUMBER=none CONTROLLER_ADDRESS=none CONTROLLER_PHONE=none \
    CONTROLLER_PHONE_HOURS=none CONTROLLER_PHONE_HOURS_EN=none CONTROLLER_EMAIL=none \
    python manage.py collectstatic --no-input --verbosity 0 --ignore rest_framework \
    && rm /tmp/drawn
USER dentalclean
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s CMD ["python", "-c", \
    "import os, urllib.request as u; host = os.environ['ALLOWED_HOSTS'].split(',')[0]; \
    u.urlopen(u.Request('http://127.0.0.1:8000/healthz', headers={'Host': host}), timeout=4)"]
CMD ["gunicorn", "-c", "python:dentalclean.gunicorn"]
