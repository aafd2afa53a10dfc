"""The console of `make up`: one page that shows the flow, the latest deliveries and their traces."""

REQUEST_ID = "carillon-console"  # of all that it asks the services, again and again
