"""How a run begins and ends: what the library wants to know for that, of what only Snakemake knows."""

from imagenet_prep import interpreter, progress, run, signals
from imagenet_prep.console import dry_run
from imagenet_prep.console.mistyped import Known
from imagenet_prep.console.stages import Job
from imagenet_prep.console.terminal import SPACE, Ending, Terminal
from imagenet_prep.engine import changed_settings


def needed_jobs():
    """The jobs of this workflow that this run is to do, or a dry run has shown, each behind the name that its rule has here.

    Used as a module, the rules can have other names, and there are others. Snakemake documents neither attribute; tried
    with 9.17.0 and 9.27.1.
    """
    own = {proxy.rule.name: name for name, proxy in rules._rules.items()}
    return [
        run.NeededJob(
            own[it.rule.name],
            it.wildcards_dict,
            tuple(str(path) for path in (*it.output, *it.log, it.benchmark) if path),
            it.log[0] if it.log else None,
        )
        for it in workflow.dag.needrun_jobs(exclude_finished=False)
        if it.rule.name in own
    ]


def begin_run():
    """Look whether the run can do what is asked for, have the folder to itself, and show how far it is."""
    signals.answer_sigterm_aside()  # Snakemake has just set its own answer
    jobs = [] if workflow.touch else needed_jobs()
    run.begin(jobs, config, PROVENANCE, LOGS, lambda table: logger.info(table, extra={"event": SPACE}))
    if TERMINAL:
        progress.speak_for_jobs()
        with_log = [Job.of(it.rule, it.wildcards, it.log) for it in jobs if it.log]
        TERMINAL.begin(with_log, len(jobs), LOGS, HANDLER.quiet)


def is_all_made():
    """Whether everything is there that the default target asks for."""
    asked_for = target("all", *everything(), archives=config["use"], made=receipts)
    return all(Path(path).exists() for path in asked_for(None))


def end_run(succeeded, snakemake_log):
    """Have the last lines say what the run has made, or how far it came."""
    run.end(OUT, succeeded=succeeded, is_all_made=is_all_made, keep_packed=config["keep_packed"])
    if TERMINAL:
        TERMINAL.end(Ending(succeeded, config, os.path.relpath(snakemake_log)))


def rule_names():
    """The names of all rules, also of those behind this line."""
    return [it.name for it in workflow.rules]


def file_names():
    """The files below output_dir that are targets."""
    return [*map(str, STEP_OF_FILE), *(f"{VERIFIED.name}/{name}.json" for name in config["archives"])]


def about_the_jobs():
    """Lines of a dry run: why it shows so many jobs, of which some will fall away."""
    if TAKEN_OVER:
        return dry_run.TAKES_OVER
    changed = changed_settings.changes(PROVENANCE, [path for it in needed_jobs() for path in it.written])
    return dry_run.changed_settings(changed)


# This workflow's plugin; there is none in jobs, nor where a profile, or a workflow that takes this one as a module, has
# another logger.
HANDLER = next((it for it in workflow.logger_manager.get_log_handlers() if hasattr(it, "show_on")), None)
TERMINAL = None
OWN = {CHECKOUT / "Snakefile", CHECKOUT / "workflow" / "Snakefile"}

if HANDLER and not HANDLER.says_everything:
    known = Known(config, rule_names, file_names)
    TERMINAL = Terminal(HANDLER.stream, known, about_the_jobs)
    HANDLER.show_on(TERMINAL)

interpreter.quote()
if Path(workflow.main_snakefile).resolve() in OWN:  # jobs of others may need modules of their own
    interpreter.use_own_modules(LIBRARY)
    interpreter.hide_pandas()

# Snakemake asks for the user's name, and takes it from here where the number has none, as in a container.
os.environ.setdefault("USER", str(os.getuid()))

if workflow.is_main_process:
    signals.answer()
    if Path(workflow.main_snakefile).resolve() in OWN:  # the rules of others may have commands of another form
        shell.prefix(f"set -euo pipefail; {signals.holding_back()} ")
    elsewhere = f"--directory <another one> {commands.from_elsewhere(sys.argv, config)}"
    run.expect_writable(Path(".snakemake"), f"Give yourself the right to write there, or run with {elsewhere}")
