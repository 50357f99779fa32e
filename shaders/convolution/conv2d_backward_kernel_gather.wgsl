// import shared/kernel_gradient.wgsl

// conv2d_backward_kernel, as a product through workgroup memory (shared/kernel_gradient.wgsl), one number of x at a time.
// GROUP_OUT is a multiple of 4, GROUP_IN need not be.
//
// x       [BATCH, IN_H, IN_W, IN_C]
// dy      [BATCH, OUT_H, OUT_W, OUT_C]
// partial [PARTS, KERNEL_H, KERNEL_W, GROUP_IN, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

fn number(place: u32, is_there: bool) -> f32 {
    return select(0.0, x[X_BASE + select(0u, place, is_there)], is_there);
}

// Four numbers of x under taps of the window whose first pixel this is.
fn x_channels(place: Place, corner: u32, is_inside: bool) -> Real {
    let are_there = place.are_rows & vec4<bool>(is_inside);
    let places = corner + place.taps;
    return Real(
        number(places.x, are_there.x),
        number(places.y, are_there.y),
        number(places.z, are_there.z),
        number(places.w, are_there.w),
    );
}
