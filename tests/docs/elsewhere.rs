//! What is written in blocks and neither run nor checked here, each with its reason. A row that meets nothing fails the test.

/// Lines of `sh` that begin like this ask for other machines or software. The options of the program in them are held to its help.
pub const LINES: &[(&str, &str)] = &[
    ("apt-get install", "changes the machine"),
    ("shadegrad train --device 0,1", "needs two adapters"),
    ("mpirun -n", "needs MPI: `scripts/test-mpi` runs such lines"),
    ("srun --mpi=pmix", "needs a cluster"),
    ("python tests/golden/make_keras_runs.py", "needs Keras, which recorded what is in tests/golden"),
];

/// Lines that end with an error, as their documents say, and what they print.
pub const FAILING: &[(&str, &str)] = &[("shadegrad train --data iris.csv", "iris.toml")];

/// Blocks that nothing reads, by file and first line.
pub const BLOCKS: &[(&str, &str, &str)] = &[
    ("docs/data.md", "photos/            photos/", "a drawing of folders"),
    (
        "docs/onnx.md",
        "import numpy, onnxruntime",
        "needs onnxruntime: `scripts/test-interop` makes these calls",
    ),
];
