"""What every service stands on: settings, logs, pools, AWS clients, SQL, migrations, run until SIGTERM."""
