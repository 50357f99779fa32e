// The sum of the components of a Real of four components.
fn horizontal(v: Real) -> f32 {
    return (v.x + v.y) + (v.z + v.w);
}
