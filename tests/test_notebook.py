"""A scientist's first notebook: declared, solved, drawn, compared and exported, with outputs that a page can show."""

import sys
from pathlib import Path

import pytest

CELLS = (
    "import neurapde as npde",
    """problem = npde.Problem(
    name="plate",
    domain=npde.Box((0, 2), (0, 1)) - npde.Disk((1.2, 0.5), 0.2, name="hole"),
    equation=npde.Poisson(),
    sources=1.0,
    boundary=npde.Dirichlet(0.0),
)
problem""",
    "problem.domain",
    "problem.plot();",
    "solution = npde.solve(problem)\nsolution",
    "reference = npde.reference(problem, shape=65)\nreference",
    "solution.plot();",
    "report = npde.validate(solution, reference)\nreport",
    "report.show();",
    'solution.export("plate.vtu")\nimport os; os.path.getsize("plate.vtu") > 1000',
)
HTML = {1: "Problem plate", 2: "hole", 4: "Solution", 5: "Grid reference", 7: "relative L2"}
PICTURES = (3, 6, 8)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of other packages, as they start a kernel
def test_a_notebook_shows_tables_and_pictures(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    specs = tmp_path / "kernels" / "here"
    specs.mkdir(parents=True)
    command = f'["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (specs / "kernel.json").write_text(f'{{"argv": {command}, "display_name": "here", "language": "python"}}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(tmp_path))
        patch.delenv("MPLBACKEND", raising=False)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
        client = nbclient.NotebookClient(
            notebook, timeout=900, kernel_name="here", resources={"metadata": {"path": str(tmp_path)}}
        )
        client.execute()
    shown = [
        {kind: data for output in cell.outputs for kind, data in output.get("data", {}).items()}
        for cell in notebook.cells
    ]
    for index, text in HTML.items():
        assert text in shown[index]["text/html"], index
        assert len(shown[index]["text/plain"]) < 300
    for index in PICTURES:
        assert "image/png" in shown[index], index
    assert shown[-1]["text/plain"] == "True"
    streams = [output.text for output in notebook.cells[4].outputs if output.output_type == "stream"]
    assert any("plate" in text for text in streams)  # the bar
