"""The compose file and its image, as far as reading them tells: no docker engine runs here."""

from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICES = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
DOCKERFILE = (REPOSITORY / "config" / "deploy" / "Dockerfile").read_text()
WORKERS = ("generation", "generation-gpu")


def test_the_gpu_worker_comes_with_its_profile_alone_and_reserves_one_gpu():
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"generation-gpu"}
    worker = SERVICES["generation-gpu"]
    assert worker["profiles"] == ["gpu"]
    assert worker["deploy"]["resources"]["reservations"]["devices"] == [
        {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    ]


def test_it_is_the_cpu_worker_on_another_device_with_another_build_of_torch():
    cpu, gpu = (SERVICES[name] for name in WORKERS)
    differing = {key for key in cpu.keys() | gpu.keys() if cpu.get(key) != gpu.get(key)}
    assert differing == {"profiles", "build", "deploy", "environment"}
    assert gpu["environment"] == cpu["environment"] | {"GENERATION_DEVICE": "cuda"}
    assert gpu["build"] == cpu["build"] | {"args": {"EXTRAS": "worker", "TORCH_INDEX": "${TORCH_CUDA_INDEX:-}"}}
    assert "generation" in gpu["command"][gpu["command"].index("-Q") + 1]


def test_workers_that_run_models_cannot_change_their_weights_or_gain_rights():
    for name in WORKERS:
        worker = SERVICES[name]
        assert worker["volumes"] == ["data:/data", "${MODEL_WEIGHTS:-./models}:/models:ro"]
        assert (worker["cap_drop"], worker["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
        assert worker["environment"]["MODEL_FOLDERS"] == "${MODEL_FOLDERS:-/models}"
        assert worker["healthcheck"]["test"][1].startswith("celery -A config.celery inspect ping")
    assert "\nmodels\n" in (REPOSITORY / ".dockerignore").read_text()


def test_the_image_runs_as_somebody_without_rights():
    lines = DOCKERFILE.splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["cardinal"]
    assert not any(line.startswith(("RUN", "COPY", "ADD")) for line in lines[lines.index("USER cardinal") :])
