// import shared/linear_index.wgsl

// softmax: probabilities[r, c] = exp(logits[r, c] - m) / sum_d exp(logits[r, d] - m), m the row's maximum.
// One invocation per row.
//
// logits        [ROWS, COLUMNS]
// probabilities [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> probabilities: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let r = linear_index(group, local);
    if r >= INVOCATIONS {
        return;
    }
    let row = r * COLUMNS;
    var m = logits[LOGITS_BASE + row];
    for (var c = 1u; c < COLUMNS; c++) {
        m = max(m, logits[LOGITS_BASE + row + c]);
    }
    var sum = 0.0;
    for (var c = 0u; c < COLUMNS; c++) {
        sum += exp(logits[LOGITS_BASE + row + c] - m);
    }
    for (var c = 0u; c < COLUMNS; c++) {
        probabilities[PROBABILITIES_BASE + row + c] = exp(logits[LOGITS_BASE + row + c] - m) / sum;
    }
}
