//! Every kernel against its twin, on an adapter of this machine: a software adapter if there is one, else the best.

use shadegrad::device::HOW_TO_GET_AN_ADAPTER;
use shadegrad::gpu::{DeviceKind, Gpu, adapters};
use shadegrad::ops::{Matmul, MatmulShape, Op};
use shadegrad::plan::BatchParams;
use shadegrad::verify::{VerifyRow, verify, verify_edited};

#[path = "../examples/one_kernel.rs"]
#[allow(dead_code, reason = "its `main` is not run")]
mod one_kernel;

/// Without an adapter there is nothing to test, which is a failure: a skipped test would look like a passed one.
fn open_adapter() -> Gpu {
    let mut found = adapters();
    found.sort_by_key(|adapter| (adapter.kind() != DeviceKind::Software, adapter.kind()));
    let adapter = found.first().unwrap_or_else(|| panic!("{HOW_TO_GET_AN_ADAPTER}"));
    adapter.open().unwrap_or_else(|error| panic!("{error}"))
}

fn describe(row: &VerifyRow) -> String {
    let VerifyRow { kind, variant, case, checks, output, largest_error, bound, .. } = row;
    let problem = row.problem.as_deref().unwrap_or("no problem named");
    format!(
        "{kind} ({variant}, checks {checks}), {case}: `{output}` error {largest_error:e} of {bound:e}: {problem}"
    )
}

#[test]
fn every_kernel_agrees_with_its_twin() {
    let gpu = open_adapter();
    let mut seen = 0;
    let report = verify(&gpu, &|_| true, &mut |_| seen += 1).unwrap();
    let failed: Vec<String> = report.rows.iter().filter(|row| !row.passed).map(describe).collect();
    assert!(failed.is_empty(), "{}: {} rows failed:\n{}", report.device, failed.len(), failed.join("\n"));
    assert!(report.passed() && seen == report.rows.len());
}

/// A shader that somebody changes is judged as those of the library are.
#[test]
fn a_changed_shader_is_noticed() {
    let gpu = open_adapter();
    let file = "regularization/dropout_forward.wgsl";
    let text = include_str!("../shaders/regularization/dropout_forward.wgsl");
    let judge = |text: &str| verify_edited(&gpu, file, text.to_owned(), &mut |_| ()).unwrap();
    let report = judge(text);
    assert!(report.passed(), "{report:?}");
    assert!(report.rows.iter().all(|row| row.kind == "dropout_forward" && row.checks == "on"), "{report:?}");
    // (what is changed, into what, what is said)
    let rows = [
        ("with_dropout(x[X_BASE + index], index)", "x[X_BASE + index]", ""),
        ("Y_BASE + index", "Y_BASE + index + 1u", ""),
        ("let index =", "let place =", "dropout_forward.wgsl:19"),
    ];
    for (from, to, said) in rows {
        assert!(text.contains(from));
        let report = judge(&text.replace(from, to));
        let problems: Vec<_> = report.rows.iter().filter_map(|row| row.problem.as_ref()).collect();
        assert!(
            !report.passed() && problems.iter().any(|problem| problem.contains(said)),
            "{to}: {problems:?}"
        );
    }
    assert!(!verify_edited(&gpu, "no/such.wgsl", String::new(), &mut |_| ()).unwrap().passed());
}

#[test]
fn one_step_runs_on_numbers_of_ones_own() {
    let gpu = open_adapter();
    let params: BatchParams = bytemuck::Zeroable::zeroed();
    let product = Op::from(Matmul(MatmulShape { m: 1, n: 2, k: 3 }));
    let (mut a, mut b, mut c) = ([1.0f32, 2.0, 3.0], [1.0f32, 0.0, 0.0, 1.0, 1.0, 1.0], [0.0f32; 2]);
    let words = |values: &mut [f32]| bytemuck::cast_slice_mut::<f32, u32>(values).to_vec();
    let mut arguments = [words(&mut a), words(&mut b), words(&mut c)];
    let [x, y, z] = &mut arguments;
    gpu.run_once(&product, &params, &mut [x, y, z]).unwrap();
    let found: Vec<f32> = arguments[2].iter().map(|&word| f32::from_bits(word)).collect();
    assert_eq!(found, [4.0, 5.0]);

    // (arguments, part of the error)
    let rows: [(&[usize], &str); 3] =
        [(&[3, 6], "3 arguments"), (&[3, 5, 2], "`b`"), (&[3, 6, 0], "`partial`")];
    for (lengths, expected) in rows {
        let mut words: Vec<Vec<u32>> = lengths.iter().map(|&length| vec![0; length]).collect();
        let mut arguments: Vec<&mut [u32]> = words.iter_mut().map(Vec::as_mut_slice).collect();
        let error = gpu.run_once(&product, &params, &mut arguments).unwrap_err().to_string();
        assert!(error.starts_with("matmul: ") && error.contains(expected), "{lengths:?}: {error}");
    }

    let mut x = [-2.0, -1.0, 0.0, 3.0];
    one_kernel::leaky_relu(&mut x, 0.5).unwrap();
    assert_eq!(x, [-1.0, -0.5, 0.0, 3.0]);
}
