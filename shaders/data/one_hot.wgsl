// import shared/linear_index.wgsl
// import shared/batch.wgsl

// one_hot: one_hot[i, c] = ON where c + FIRST_CLASS = labels[order[first + i]], else OFF, for i < batch_size; rows past it are 0.
// One invocation per element.
//
// labels [samples]
// order  [_]
// one_hot [BATCH, CLASSES]

@group(0) @binding(0) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read_write> one_hot: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let i = index / CLASSES;
    var value = 0.0;
    if i < batch.batch_size {
        let sample = order[ORDER_BASE + batch.first + i];
        let label = labels[LABELS_BASE + sample];
        value = select(OFF, ON, label == FIRST_CLASS + index % CLASSES);
    }
    one_hot[ONE_HOT_BASE + index] = value;
}
