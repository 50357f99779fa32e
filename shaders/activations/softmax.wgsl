// import shared/{alone,together}.wgsl

// softmax: probabilities[r, c] = exp(logits[r, c] - m) / sum_d exp(logits[r, d] - m), m the row's maximum.
// One maximum and one sum per row (shared/alone.wgsl, shared/together.wgsl).
//
// logits        [ROWS, COLUMNS]
// probabilities [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> probabilities: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let r = sum_of(group, local);
    if is_idle(r) {
        return;
    }
    let row = r * COLUMNS;
    let first = share_of(local);
    var m = logits[LOGITS_BASE + row + first];
    for (var c = first + SHARES; c < COLUMNS; c += SHARES) {
        m = max(m, logits[LOGITS_BASE + row + c]);
    }
    m = together_maximum(m, local);
    var sum = 0.0;
    for (var c = first; c < COLUMNS; c += SHARES) {
        sum += exp(logits[LOGITS_BASE + row + c] - m);
    }
    sum = together(sum, local);
    for (var c = first; c < COLUMNS; c += SHARES) {
        let probability = exp(logits[LOGITS_BASE + row + c] - m) / sum;
        if writes_share(group, local) {
            probabilities[PROBABILITIES_BASE + row + c] = probability;
        }
    }
}
