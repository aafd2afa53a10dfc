"""`python -m user_api`: the REST API."""

from runtime.service import run_service

from user_api.app import serve
from user_api.settings import Settings

if __name__ == "__main__":
    run_service("user-api", Settings, serve)
