// probe/stream_copy: how many bytes a second the adapter can read and write when nothing is used twice.
//
//   copy[i] = original[i]
//
// Each workgroup copies a block of COPIES * WORKGROUP_SIZE vec4s; at any time its invocations touch neighbours.
//
// original [GROUPS * COPIES * WORKGROUP_SIZE]
// copy     [GROUPS * COPIES * WORKGROUP_SIZE]

@group(0) @binding(0) var<storage, read> original: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> copy: array<vec4u>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let first = group.x * (COPIES * WORKGROUP_SIZE) + local;
    for (var i = 0u; i < COPIES; i++) {
        copy[first + i * WORKGROUP_SIZE] = original[first + i * WORKGROUP_SIZE];
    }
}
