# Its files are made in memory from what ECS hands over: the root file system is read-only.
set -euo pipefail
umask 077
cd /dev/shm
printenv PGBOUNCER_INI >pgbouncer.ini
printenv TLS_key >server.key
printenv TLS_certificate >server.crt
for variable in "${!PASSWORD_OF_@}"; do
    printf '"%s" "%s"\n' "${variable#PASSWORD_OF_}" "${!variable}"
    unset "$variable"
done >users.txt
unset TLS_key
exec pgbouncer pgbouncer.ini
