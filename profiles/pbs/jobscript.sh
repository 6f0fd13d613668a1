#!/bin/sh
# properties = {properties}
# Leaves the exit status where status.py finds it, for servers that forget a job when it ends.
leave() {{
    status=$?
    mkdir -p .snakemake/pbs
    echo $status >".snakemake/pbs/${{PBS_JOBID:-$SLURM_JOB_ID}}"
}}
trap leave EXIT
trap 'exit 143' TERM
{exec_job}
