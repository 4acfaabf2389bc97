"""The frame: what is declared agrees with what is there."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from transferlab.doctor import doctor_lines
from transferlab.errors import UserError
from transferlab.resources import notebook, notebook_names

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LINT_IMPORTS = str(Path(sys.executable).with_name("lint-imports"))
COMMANDS = {
    "report": "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/transferlab report transfer",
    "tests": "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest",
}
# in pieces, so that this file does not find itself
ADDRESSES = re.compile(
    rb"(?<![\w./-])/(?:work|root|home/\w+)/" + rb"|(?:pypi\." + rb"org|python" + rb"hosted\.org"
    rb"|download\.pytorch\." + rb"org/whl|conda\.ana" + rb"conda\.org|index" + rb"-url)"
)


def repository_files():
    """Files that git holds or would take, as paths below the root."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(git, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, so there is no list of its files")
    return [ROOT / name for name in os.fsdecode(listed).split("\0") if name and (ROOT / name).is_file()]


def run(*command, cwd=ROOT, **environment):
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)


def test_environment_yml_has_the_dependencies_of_pyproject():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = next(d["pip"] for d in dependencies if isinstance(d, dict))
    assert sorted(by_pip) == sorted([*PROJECT["dependencies"], "-e ."])
    assert f"python{PROJECT['requires-python']}" in dependencies


def test_every_import_of_the_package_is_a_declared_dependency():
    """A package that only comes along with another may be gone with its next version."""
    comes_with = {
        "ot": "pot",
        "umap": "umap-learn",
        "sklearn": "scikit-learn",
        "skimage": "scikit-image",
        "PIL": "pillow",
        "IPython": "ipykernel",
        "traitlets": "ipywidgets",
    }
    optional = PROJECT["optional-dependencies"]["umap"]
    declared = {re.match(r"[\w-]+", d)[0] for d in [*PROJECT["dependencies"], *optional]}
    found = {
        (path.relative_to(ROOT).as_posix(), name.split(".")[0])
        for path in (ROOT / "transferlab").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in imported_names(node)
    }
    ours = {*sys.stdlib_module_names, "transferlab"}
    assert not {
        (p, n)
        for p, n in found
        if n not in ours and comes_with.get(n, n.lower().replace("_", "-")) not in declared
    }


def imported_names(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []


def test_rooms_import_only_lower_rooms():
    done = run(LINT_IMPORTS, "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept, 0 broken" in done.stdout


def test_the_contract_catches_a_wrong_import(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    copied = shutil.copytree(ROOT / "transferlab", tmp_path / "transferlab", ignore=not_python)
    (copied / "data" / "upwards.py").write_text("import transferlab.evaluation\n")
    done = run(
        LINT_IMPORTS,
        "--no-cache",
        cwd=tmp_path,
        PYTHONPATH=str(tmp_path),
    )
    assert done.returncode != 0
    assert "transferlab.data.upwards" in done.stdout


def not_python(folder, names):
    return [n for n in names if (Path(folder) / n).is_file() and not n.endswith(".py")]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_ruff_is_content(command):
    done = run(sys.executable, "-m", "ruff", *command, "--no-cache", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_machine_path_and_no_package_index_in_the_repository():
    found = [
        f"{path.relative_to(ROOT)}: {hit[0]!r}"
        for path in repository_files()
        if (hit := ADDRESSES.search(path.read_bytes()))
    ]
    assert not found


@pytest.mark.parametrize("pieces", [("/wo", "rk/a"), ("'/ro", "ot/x"), ("py", "pi.org"), ("index", "-url")])
def test_the_search_for_addresses_finds_them(pieces):
    assert ADDRESSES.search("".join(pieces).encode())
    assert not ADDRESSES.search(pieces[0].encode())
    assert not ADDRESSES.search("docs{0}/day ..{0}/x https://example.org{0}/".format("/work").encode())


def test_no_lock_file_and_no_pickle_in_the_repository():
    unwanted = {".pkl", ".pickle", ".pt", ".pth", ".lock"}
    assert not [path.name for path in repository_files() if path.suffix in unwanted]


def test_python_files_stay_short():
    lessons = ROOT / "notebooks" / "source"  # mostly prose; a contract limits cells
    files = [p for p in repository_files() if p.suffix == ".py"]
    sources = [p for p in files if not p.is_relative_to(lessons)]
    lengths = {path.relative_to(ROOT): path.read_text().count("\n") for path in sources}
    assert lengths
    assert not {path: n for path, n in lengths.items() if n > 350}


HEAVY = "{'torch', 'torchvision', 'timm', 'sklearn', 'skimage', 'scipy', 'pandas', 'matplotlib', 'IPython'}"


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import transferlab", HEAVY),
        ("import transferlab.data", "{'torch', 'torchvision', 'timm', 'matplotlib'}"),
        ("import transferlab.evaluation", "{'torch', 'torchvision', 'timm', 'matplotlib'}"),
        ("import transferlab.doctor, transferlab.resources", HEAVY),
        (
            "from transferlab.cli import main\nsys.argv = ['transferlab', '--help']\n"
            "try: main()\nexcept SystemExit as done: assert not done.code",
            HEAVY,
        ),
    ],
    ids=["package", "data", "evaluation", "doctor", "help"],
)
def test_heavy_libraries_wait_until_needed(code, heavy):
    shown = f"print('heavy:', sorted({heavy} & set(sys.modules)))"
    done = run(sys.executable, "-c", f"import sys\n{code}\n{shown}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_readme_opens_with_the_two_commands():
    readme = (ROOT / "README.md").read_text()
    for name, command in COMMANDS.items():
        assert f"<!-- command: {name} -->\n```sh\n{command}\n```\n" in readme
    assert readme.index("<!-- command: tests -->") < readme.index("\n## ")


def copy_of_ci(folder, readme):
    """A clone with a README of ours and stand-ins for what .ci/run would start."""
    (folder / "clone" / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", folder / "clone" / ".ci")
    (folder / "clone" / "README.md").write_text(readme)
    (folder / "bin").mkdir()
    for tool in ("chromium", "python3"):
        (folder / "bin" / tool).write_text('#!/bin/sh\necho "$(basename "$0") called with $*"\nexit 7\n')
        (folder / "bin" / tool).chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return run("bash", str(folder / "clone" / ".ci" / "run"), cwd=folder, PATH=path)


def test_ci_runs_the_second_command_of_the_readme(tmp_path):
    done = copy_of_ci(tmp_path, (ROOT / "README.md").read_text())
    assert done.stdout == "python3 called with -m venv .venv\n"
    assert done.returncode == 7


@pytest.mark.parametrize(("material", "required"), [(True, "browser,data"), (False, "browser")])
def test_ci_runs_the_command_literally_and_names_the_material(tmp_path, monkeypatch, material, required):
    show = 'echo \'a  b\' "$TRANSFERLAB_REQUIRE" "${TRANSFERLAB_TEST_DATA-none}" && pwd'
    data = tmp_path / "shared" / "data"
    if material:
        data.mkdir(parents=True)
    monkeypatch.delenv("TRANSFERLAB_TEST_DATA", raising=False)
    done = copy_of_ci(tmp_path, f"<!-- command: tests -->\n```sh\n{show}\n```\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"a  b {required} {data if material else 'none'}\n{tmp_path / 'clone'}\n"


def test_ci_fails_without_a_command(tmp_path):
    done = copy_of_ci(tmp_path, "nothing to run\n")
    assert done.returncode == 1
    assert "README.md has no line" in done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy and unpacked far from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for path in repository_files():
        target = source / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = run(*build, str(source))
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_wheel_carries_every_file_of_the_package_and_every_notebook(wheel):
    expected = {p.relative_to(ROOT) for p in repository_files() if p.is_relative_to(ROOT / "transferlab")}
    ours = [p for p in repository_files() if p.is_relative_to(ROOT / "notebooks")]
    notebooks = [p.relative_to(ROOT / "notebooks") for p in ours]
    assert Path("01_cnn_feature_hierarchies.ipynb") in notebooks
    expected |= {Path("transferlab", "_notebooks", path) for path in notebooks}
    assert not {path for path in expected if not (wheel / path).is_file()}


def test_wheel_carries_both_licences(wheel):
    (information,) = wheel.glob("*.dist-info")
    for name in PROJECT["license-files"]:
        assert (information / "licenses" / name).read_bytes() == (ROOT / name).read_bytes()


def test_notebooks_are_found_from_the_wheel(wheel, tmp_path):
    code = (
        "import transferlab.resources as r; print(r.__file__)\n"
        "for n in r.notebook_names(): print(n, r.notebook(n).is_file(), '_notebooks' in str(r.notebook(n)))"
    )
    done = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(wheel))
    assert done.returncode == 0, done.stderr
    where, *found = done.stdout.splitlines()
    assert Path(where).is_relative_to(wheel)
    assert found == [f"{name} True True" for name in notebook_names()]
    assert found


def test_report_runs_from_the_wheel(wheel, tmp_path):
    """From another folder, with the package and its notebooks out of the wheel alone."""
    out = tmp_path / "r"
    command = [sys.executable, "-m", "transferlab", "report", "transfer", "digits", "--profile", "smoke"]
    done = run(
        *command, "--labels-per-class", "5", "--out", str(out),
        cwd=tmp_path, PYTHONPATH=str(wheel), TRANSFERLAB_CACHE=str(tmp_path / "cache"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "results.json").read_text())["task"]["name"] == "digits"
    code = "import transferlab; print(transferlab.__file__)"
    where = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(wheel)).stdout.strip()
    assert Path(where).is_relative_to(wheel)


def test_notebooks_are_found_from_the_checkout():
    for name in notebook_names():
        assert notebook(name) == notebook(f"{name}.ipynb")
        assert notebook(name).is_relative_to(ROOT / "notebooks")


@pytest.mark.parametrize("name", ["nowhere", "../README.md", "", "reports"])
def test_an_unknown_notebook_is_one_sentence(name):
    with pytest.raises(UserError, match="choose from"):
        notebook(name)


def test_doctor_has_ten_lines_and_names_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TRANSFERLAB_MIRROR", str(tmp_path / "absent"))
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it now raises
    lines = {line.split()[0]: line for line in doctor_lines()}
    assert len(lines) == len(doctor_lines()) == 10
    assert "broken" in lines["device"]
    assert "will not run" in lines["browser"]
    assert "not there yet" in lines["mirror"]
    assert sys.version.split()[0] in lines["transferlab"]
    assert all("\n" not in line for line in lines.values())


def test_doctor_finds_a_browser(monkeypatch, tmp_path):
    (tmp_path / "chromium").write_text("#!/bin/sh\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert any(str(tmp_path / "chromium") in line for line in doctor_lines())
