"""Dashboards and alert rules over what the services tell of themselves."""
