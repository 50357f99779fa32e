// The number of an invocation. Groups past the limit of one dimension are folded into y, GROUPS_X to a row.
fn linear_index(group: vec3u, local: u32) -> u32 {
    return (group.x + group.y * GROUPS_X) * WORKGROUP_SIZE + local;
}
