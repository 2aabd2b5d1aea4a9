"""Jobs and cron jobs with real pods, driven by kubectl."""

import json

import pytest

from support.cluster import wait_for
from support.workload import IMAGE, STAY, Space, container


@pytest.fixture(scope="module")
def space(cluster):
    cluster.import_image("busybox")
    made = Space(cluster, "jobs")
    yield made
    made.close()


def job(name, script="true", pod=None, **spec):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
                                           "containers": [container(script=script)], **(pod or {})}}, **spec}}


def status(space, name):
    return space.get("job", name)["status"]


def condition(space, name, kind):
    for each in status(space, name).get("conditions", []):
        if each["type"] == kind and each["status"] == "True":
            return each["reason"]
    return None


def pods_of(space, name):
    return space.get("pods", "-l", f"job-name={name}")["items"]


def test_completes(space):
    space.apply(job("sum", "echo 42", completions=3, parallelism=2))
    space.kubectl("wait", "--for=condition=complete", "job/sum", "--timeout=60s")
    done = status(space, "sum")
    assert done["succeeded"] == 3 and done["ready"] == 0 and done["uncountedTerminatedPods"] == {}
    assert space.column("job", "COMPLETIONS")["sum"] == "3/3"
    assert space.column("job", "STATUS")["sum"] == "Complete"
    assert space.kubectl("logs", "job/sum").strip() == "42"
    pods = pods_of(space, "sum")
    assert len(pods) == 3 and all("finalizers" not in pod["metadata"] for pod in pods)
    described = space.kubectl("describe", "job", "sum")
    assert "Pods Statuses:" in described and "0 Active (0 Ready) / 3 Succeeded / 0 Failed" in described
    assert "Completed" in described


def test_indexed_pods_know_their_number(space):
    space.apply(job("numbered", "test $JOB_COMPLETION_INDEX -lt 2 && hostname", completions=2, parallelism=2,
                    completionMode="Indexed"))
    space.kubectl("wait", "--for=condition=complete", "job/numbered", "--timeout=60s")
    assert status(space, "numbered")["completedIndexes"] == "0,1"
    names = {space.kubectl("logs", pod["metadata"]["name"]).strip() for pod in pods_of(space, "numbered")}
    assert names == {"numbered-0", "numbered-1"}


def test_fails(space):
    space.apply(job("broken", "exit 3", backoffLimit=0))
    space.kubectl("wait", "--for=condition=failed", "job/broken", "--timeout=60s")
    assert condition(space, "broken", "Failed") == "BackoffLimitExceeded"
    assert status(space, "broken")["failed"] == 1


def test_failure_policy_ends_it_at_once(space):
    policy = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]}
    space.apply(job("fatal", "exit 42", backoffLimit=5, podFailurePolicy=policy))
    space.kubectl("wait", "--for=condition=failed", "job/fatal", "--timeout=60s")
    assert condition(space, "fatal", "Failed") == "PodFailurePolicy"


def test_suspend_and_resume(space):
    space.apply(job("paused", STAY, suspend=True))
    wait_for(lambda: condition(space, "paused", "Suspended"), 30, "Suspended")
    assert pods_of(space, "paused") == []
    space.patch("job/paused", {"spec": {"suspend": False}})
    wait_for(lambda: status(space, "paused").get("ready") == 1, 60, "a ready pod")
    space.patch("job/paused", {"spec": {"suspend": True}})
    wait_for(lambda: pods_of(space, "paused") == [], 60, "no pods")
    assert "failed" not in status(space, "paused")


def test_the_deadline_ends_running_pods(space):
    space.apply(job("late", STAY, activeDeadlineSeconds=2))
    space.kubectl("wait", "--for=condition=failed", "job/late", "--timeout=60s")
    assert condition(space, "late", "Failed") == "DeadlineExceeded"
    wait_for(lambda: pods_of(space, "late") == [], 60, "no pods")


def test_a_deleted_pod_counts_once_and_is_replaced(space):
    """Replaced only when it has ended: the node part must end a pod that a finalizer holds."""
    space.apply(job("held", STAY.replace("exit 0", "exit 1"), podReplacementPolicy="Failed"))
    wait_for(lambda: status(space, "held").get("ready") == 1, 60, "a ready pod")
    first = pods_of(space, "held")[0]["metadata"]["name"]
    space.kubectl("delete", "pod", first, "--wait=false")
    wait_for(lambda: status(space, "held").get("failed") == 1, 60, "one failure")
    wait_for(lambda: [pod for pod in pods_of(space, "held") if pod["metadata"]["name"] != first], 60, "its successor")


def test_deleting_a_job_deletes_its_pods(space):
    space.apply(job("gone", STAY, parallelism=2))
    wait_for(lambda: status(space, "gone").get("ready") == 2, 60, "ready pods")
    space.kubectl("delete", "job", "gone")
    wait_for(lambda: pods_of(space, "gone") == [], 60, "no pods")


def test_goes_when_its_time_has_come(space):
    space.apply(job("brief", ttlSecondsAfterFinished=1))
    wait_for(lambda: not space.exists("job", "brief"), 90, "the job's end")


def test_create_with_kubectl(space):
    space.kubectl("create", "job", "made", f"--image={IMAGE}", "--", "true")
    space.kubectl("wait", "--for=condition=complete", "job/made", "--timeout=60s")


def cron_job(name, version="v1", **spec):
    return {"apiVersion": f"batch/{version}", "kind": "CronJob", "metadata": {"name": name},
            "spec": {"schedule": "@every 2s", "jobTemplate": {"spec": job(name)["spec"]}, **spec}}


def test_cron_job_starts_jobs(space):
    space.apply(cron_job("tick", schedule="* * * * *", timeZone="Europe/Berlin"))
    assert space.column("cronjob", "SCHEDULE")["tick"] == "* * * * *"
    space.kubectl("create", "job", "by-hand", "--from=cronjob/tick")
    space.kubectl("wait", "--for=condition=complete", "job/by-hand", "--timeout=60s")
    started = wait_for(lambda: [each["metadata"]["name"] for each in space.get("jobs")["items"]
                                if each["metadata"]["name"].startswith("tick-")], 120, "a started job")
    space.kubectl("wait", "--for=condition=complete", f"job/{started[0]}", "--timeout=60s")
    wait_for(lambda: "lastSuccessfulTime" in space.get("cronjob", "tick")["status"], 30, "its success noted")
    space.kubectl("delete", "cronjob", "tick")


def test_old_version_warns(space):
    manifest = json.dumps(cron_job("old", "v1beta1", schedule="0 0 * * *"))
    done = space.kubectl("apply", "-f", "-", stdin=manifest, check=False)
    assert done.returncode == 0, done.stderr
    assert "batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob" in done.stderr
    assert space.get("cronjob.v1.batch", "old")["spec"]["schedule"] == "0 0 * * *"
    refused = space.kubectl("create", "cronjob", "bad", "--image=i", "--schedule=99 * * * *", check=False)
    assert 'spec.schedule: Invalid value: "99 * * * *"' in refused.stderr
