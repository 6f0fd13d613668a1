"""How a run begins and ends: what has to hold before its first job, what it shows, its last lines."""

import functools
import logging
import signal
import threading

from imagenet_prep import job, progress, run_lock
from imagenet_prep import scheduler_jobs, killed_jobs
from imagenet_prep.console import summary, terminal
from imagenet_prep.engine import space_check
from imagenet_prep.engine.existing import look
from imagenet_prep.products.partials import remove_partials
from imagenet_prep.publish import bucket


def expect_writable(folder, remedy):
    """Stop if a folder, or the one in which it would be made, is not writable: Snakemake would fail in its own words."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.path.exists(path))
    if not os.access(existing, os.W_OK | os.X_OK):
        stop(f"{existing}: this folder is not writable for you. {remedy}.")


STOPPED = "You have stopped it. Run the same command again to go on."


def needed_jobs():
    """The jobs of this workflow that this run is to do, each behind the name that its rule has here.

    Used as a module, the rules can have other names, and there are others. Snakemake documents neither attribute; tried
    with 9.17.0 and 9.27.1.
    """
    own = {proxy.rule.name: name for name, proxy in rules._rules.items()}
    return [(own[it.rule.name], it) for it in workflow.dag.needrun_jobs() if it.rule.name in own]


LOOKING = {"check", "space"}


def makes_something():
    """Whether this run writes below output_dir anything but logs."""
    return not workflow.touch and any(name not in LOOKING for name, _ in needed_jobs())


def begin_run():
    """Look whether the run can write, and see to it that its last lines on the terminal are the causes of failures."""
    written = [path for _, it in needed_jobs() for path in (*it.output, *it.log, it.benchmark) if path]
    for folder in sorted({Path(path).parent for path in written}):
        expect_writable(folder, "Give yourself the right to write there, or choose another output_dir")
    job.forget_failures(LOGS)
    atexit.register(print_failures)
    handle_sigterm_aside()


@functools.cache
def say_stopped():
    """Say at the end, once, that the run was stopped."""
    atexit.register(print, STOPPED, file=sys.stderr)


def end_early(number, frame):
    """End the run, and have Snakemake give its lock back.

    For SIGTERM it is that until the first job, for Ctrl-C for as long as the run goes on: Snakemake's scheduler takes the
    exception as it takes Ctrl-C, but of that itself Snakemake would tell where in these files it came.
    """
    if number == signal.SIGINT:
        say_stopped()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would come in the middle of Snakemake's clearing up
    logging.getLogger("asyncio").disabled = True  # it would tell of each task that this ends
    sys.exit(128 + number)


def handle_sigterm_aside():
    """Have SIGTERM handled in a thread of its own.

    Snakemake's handler waits for a lock. Where the code that it interrupts holds that lock, it would wait for ever.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler):
        signal.signal(signal.SIGTERM, lambda *told: threading.Thread(target=handler, args=told).start())


NO_SUBJECTS = ("batch", "digest", "number")


def unfinished_jobs():
    """Rule, subject and log of each job that this run is still to do; what has no log only gathers others."""
    for name, it in needed_jobs():
        if it.log:
            subjects = [value for name, value in it.wildcards_dict.items() if name not in NO_SUBJECTS]
            yield name, " ".join(subjects), Path(it.log[0])


def show_run():
    """Show from now on how far the run is, in place of the jobs that share its terminal."""
    quiet = {str(it) for it in workflow.output_settings.quiet or ()}
    if TERMINAL is None or "all" in quiet:
        return
    progress.forget_reports(LOGS)
    progress.speak_for_jobs()
    live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and "progress" not in quiet
    TERMINAL.show(sys.stderr, live, unfinished_jobs)


def end_run(succeeded, snakemake_log):
    """Say what the run has made, or how far it came."""
    # It is over in a moment, and Python would answer Ctrl-C by then with where it was.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    own_log = os.path.relpath(snakemake_log)

    def lines(run, seconds):
        if succeeded:
            return summary.of_success(run, seconds, config, own_log)
        return summary.of_failure(run, seconds, own_log)

    if TERMINAL:
        TERMINAL.end(lines)


def take_folder():
    """Keep other runs out of output_dir for as long as this one goes on, and take away what killed jobs left there.

    Not where a run only looks. What is asked for was found out before nobody else could write here: it has to hold still.
    """
    if not makes_something():
        return
    try:
        lock = run_lock.hold(STATE)
        if not PROVENANCE.agrees():
            raise PrepError(OUT, "another run has changed what lies here just now", "Run the same command again")
        if not runs.is_older(OUT):
            runs.claim(OUT, DATASET.name)
    except PrepError as error:
        stop(str(error))
    except OSError as error:
        stop(job.describe(error, LOGS, OUT))
    os.environ[runs.RUN_ID] = lock.id
    PROVENANCE.note = lambda: runs.note(OUT, lock.id, PROVENANCE.answers)
    PROVENANCE.note()
    remove_partials(OUT)
    atexit.register(lock.release)
    atexit.register(runs.forget, OUT)


def leave_folder():
    """Take away what jobs left half-made that were tried again."""
    if runs.RUN_ID in os.environ:
        remove_partials(OUT)


def expect_empty_queue():
    """Stop if jobs of an earlier run go on that this run would do again."""
    jobids = {jobid for _, it in needed_jobs() for jobid in workflow.persistence.external_jobids(it)}
    try:
        scheduler_jobs.expect_none(jobids)
    except PrepError as error:
        stop(str(error))


def parts_to_come():
    """What this run makes of the parts that need space."""
    kinds = {product.rule: name for name, product in registry.SPLIT_PRODUCTS.items()}
    parts = set()
    for name, it in needed_jobs():
        if name == "fetch_archive":
            parts.add((space.ARCHIVE, it.wildcards.archive))
        elif name == "label_images":
            parts.add((space.REST, ""))
        elif name in kinds:
            parts.add((kinds[name], it.wildcards.split))
    return parts


def expect_room():
    """Show the space that this run needs, and stop if it is not there.

    Here and in no rule, since a rule's output would be an input of all others and could make them stale.
    """
    parts = parts_to_come()
    there = look(config, registry.SPLIT_PRODUCTS) if parts else space.There()
    needed = space.needs(config, registry.SPLIT_PRODUCTS, there, parts)
    rooms = space_check.rooms_of(needed)
    if needed:
        logger.info(space_check.as_table(needed, rooms))
    try:
        space_check.expect_room(needed, rooms, config, registry.SPLIT_PRODUCTS)
    except PrepError as error:
        stop(str(error))


def expect_client():
    """Stop if this run is to publish, and has no client for that: rather now than when all has been made."""
    if any(name == "publish_products" for name, _ in needed_jobs()):
        try:
            bucket.expect_client(config["publish"]["url"])
        except PrepError as error:
            stop(str(error))


def print_failures():
    """Print the causes that failed jobs have left."""
    lines = job.failures(LOGS)
    if lines:
        print_errors(lines)


def explain_silent_failures(snakemake_log):
    """Say something of jobs, too, that could leave no cause, and of a run that was stopped."""
    said = Path(snakemake_log).read_text(encoding="utf-8")
    # Not always Snakemake itself notices Ctrl-C, which goes to its jobs, too.
    if any(sign in said for sign in ("Terminating processes on user request", "Signals.SIGINT", "exit status 130")):
        say_stopped()
        return
    lines = [str(it) for it in killed_jobs.without_a_word(said)]
    if not lines and not job.failures(LOGS):
        lines = [f"{snakemake_log}: the run was ended from outside, or by Snakemake itself, which says above why."]
    if lines:
        atexit.register(print_errors, lines)


def rule_names():
    """The names of all rules, also of those behind this line."""
    return [it.name for it in workflow.rules]


TERMINAL = terminal.take(logger, rule_names) if workflow.is_main_process else None

if workflow.is_main_process:
    signal.signal(signal.SIGTERM, end_early)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not so in the background of a shell
        signal.signal(signal.SIGINT, end_early)
    expect_writable(Path(".snakemake"), "Give yourself the right to write there, or run with --directory <another one>")
