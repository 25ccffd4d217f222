# Refract for a CPU, run by a user without rights. docs/install.md says how to use it.
FROM python:3.11-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE ./
COPY refract refract
COPY flows flows
COPY tasks tasks
# PyTorch's own index has the build without CUDA, which is a tenth of the size.
RUN python -m venv /opt/refract \
 && /opt/refract/bin/pip install --no-cache-dir --constraint constraints.txt \
    --extra-index-url https://download.pytorch.org/whl/cpu .

FROM python:3.11-slim-bookworm
ARG UID=1000
RUN apt-get update \
 && apt-get install -y --no-install-recommends git openssh-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid "$UID" refract \
 && install -d -o refract -g refract /workspace
COPY --from=build /opt/refract /opt/refract
ENV PATH=/opt/refract/bin:$PATH PYTHONUNBUFFERED=1
USER refract
WORKDIR /workspace
# Asks the Prefect server of `refract serve` whether it answers, its own or the one it was given.
HEALTHCHECK --interval=60s --timeout=10s --start-period=180s CMD ["python", "-P", "-c", \
  "import json, os, urllib.request as u; url = os.environ.get('PREFECT_API_URL') or json.load(open('.refract/server.json'))['url']; u.urlopen(url + '/health', timeout=5)"]
ENTRYPOINT ["refract"]
CMD ["serve"]
