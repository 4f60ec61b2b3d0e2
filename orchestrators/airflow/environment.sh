# Sourced: Airflow's settings for this project. `root` is the project's folder.
# shellcheck shell=sh
export AIRFLOW_HOME="${AIRFLOW_HOME:-$root/target/airflow}"
export AIRFLOW__CORE__DAGS_FOLDER="$root/orchestrators/airflow"
export AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__EXECUTOR="${AIRFLOW__CORE__EXECUTOR:-LocalExecutor}"
export AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS=nps:admin
export AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE="$AIRFLOW_HOME/passwords.json"
export AIRFLOW__API__HOST=127.0.0.1
# Nothing reports home.
export AIRFLOW__COSMOS__ENABLE_TELEMETRY=False
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False
export SCARF_ANALYTICS=false
# Parsing the DAG reads dbt's manifest: seconds.
export AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT=120
export AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL=300
