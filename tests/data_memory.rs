//! How much memory a file can make the reader reserve: that of its data, whatever its header claims, and less where it is mapped.
//!
//! A separate binary with a single test, since it counts every allocation of the process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use flate2::Compression;
use flate2::write::GzEncoder;
use shadegrad::data::idx::{images_from_bytes, labels_from_bytes, read_images};
use shadegrad::data::{IdxError, LoadOptions, TargetKind, load};

const MIB: usize = 1 << 20;

/// Counts live bytes and their peak, and refuses a single allocation above a limit as a full machine would.
struct Counting {
    live: AtomicUsize,
    peak: AtomicUsize,
    largest_allowed: AtomicUsize,
}

// SAFETY: every block comes from `System` and is returned to it with the layout it was allocated with; the default
// `realloc` uses these two. Counting does not touch the memory of the blocks.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > self.largest_allowed.load(Relaxed) {
            return std::ptr::null_mut();
        }
        let live = self.live.fetch_add(layout.size(), Relaxed) + layout.size();
        self.peak.fetch_max(live, Relaxed);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.live.fetch_sub(layout.size(), Relaxed);
        // SAFETY: `block` was made by `System.alloc` above with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static MEMORY: Counting = Counting {
    live: AtomicUsize::new(0),
    peak: AtomicUsize::new(0),
    largest_allowed: AtomicUsize::new(usize::MAX),
};

/// What `action` returns, and how many bytes its peak is above what was live before.
fn measured<T>(action: impl FnOnce() -> T) -> (T, usize) {
    let before = MEMORY.live.load(Relaxed);
    MEMORY.peak.store(before, Relaxed);
    let outcome = action();
    (outcome, MEMORY.peak.load(Relaxed).saturating_sub(before))
}

/// The gzip of a header with these dimensions and `zeros` zero bytes.
fn zeros_behind(dimensions: &[u32], zeros: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&header(dimensions)).unwrap();
    io::copy(&mut io::repeat(0).take(zeros as u64), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn header(dimensions: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|dimension| dimension.to_be_bytes()));
    bytes
}

/// The first reservation of 1 MiB, and room for the decoder's window and tables.
const CONSTANT: usize = MIB + MIB / 4;

struct Row {
    what: &'static str,
    bytes: Vec<u8>,
    /// Bytes that the data may take. Memory for plain data is reserved once. For decompressed data it grows by
    /// doubling, with both blocks alive while one is copied: three times the data read, at most twice the announced
    /// size.
    data: usize,
    is: fn(&Result<Vec<u8>, IdxError>) -> bool,
}

#[rustfmt::skip] // the rows stay comparable
fn rows() -> [Row; 10] {
    [
        Row { what: "256 MiB of zeros behind a header that announces 4 labels", bytes: zeros_behind(&[4], 256 * MIB), data: 4 * 2,
              is: |outcome| matches!(outcome, Err(IdxError::TrailingBytes { .. })) },
        Row { what: "4 GiB announced over a stream of one byte", bytes: zeros_behind(&[u32::MAX], 1), data: 0,
              is: |outcome| matches!(outcome, Err(IdxError::Implausible { .. })) },
        Row { what: "4 GiB announced over 64 MiB of zeros", bytes: zeros_behind(&[u32::MAX], 64 * MIB), data: 0,
              is: |outcome| matches!(outcome, Err(IdxError::Implausible { .. })) },
        Row { what: "60 MiB announced, as much as the ratio lets pass, over 5 MiB and the start of junk",
              bytes: padded(zeros_behind(&[60 * MIB as u32], 5 * MIB), 64 << 10), data: 3 * 5 * MIB,
              is: |outcome| matches!(outcome, Err(IdxError::Truncated { .. })) },
        Row { what: "4 GiB announced by a plain header", bytes: header(&[u32::MAX]), data: 0,
              is: |outcome| matches!(outcome, Err(IdxError::Truncated { .. })) },
        Row { what: "1 label announced before 8 MiB of plain data", bytes: [header(&[1]), vec![0; 8 * MIB]].concat(), data: 0,
              is: |outcome| matches!(outcome, Err(IdxError::TrailingBytes { .. })) },
        Row { what: "an honest 40 MiB, compressed", bytes: zeros_behind(&[40 * MIB as u32], 40 * MIB), data: 2 * 40 * MIB,
              is: |outcome| matches!(outcome, Ok(labels) if labels.len() == 40 * MIB) },
        Row { what: "an honest 8 MiB in 64 members, and zeros after them", bytes: members(8 * MIB, 64), data: 2 * 8 * MIB,
              is: |outcome| matches!(outcome, Ok(labels) if labels.len() == 8 * MIB) },
        Row { what: "60 MiB announced over members that are empty", bytes: [zeros_behind(&[60 * MIB as u32], 1), empty_members(4000)].concat(), data: 0,
              is: |outcome| matches!(outcome, Err(IdxError::Truncated { .. })) },
        Row { what: "an honest 8 MiB, plain", bytes: [header(&[8 * MIB as u32]), vec![0; 8 * MIB]].concat(), data: 8 * MIB,
              is: |outcome| matches!(outcome, Ok(labels) if labels.len() == 8 * MIB) },
    ]
}

/// This many zeros after their header, each part of them a gzip member, padded as on a tape.
fn members(zeros: usize, parts: usize) -> Vec<u8> {
    let rest = gzip(&vec![0; zeros / parts]);
    let mut bytes = zeros_behind(&[zeros as u32], zeros / parts);
    bytes.extend(rest.repeat(parts - 1));
    bytes.resize(bytes.len() + MIB, 0);
    bytes
}

fn empty_members(count: usize) -> Vec<u8> {
    gzip(&[]).repeat(count)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn padded(mut bytes: Vec<u8>, junk: usize) -> Vec<u8> {
    bytes.resize(bytes.len() + junk, 0xaa);
    bytes
}

fn memory_follows_the_data() {
    for row in rows() {
        let (outcome, peak) = measured(|| labels_from_bytes("zeros.idx", &row.bytes));
        let bound = row.data + CONSTANT;
        let Row { what, bytes, is, .. } = row;
        println!("{what}: {} bytes stored, peak {peak}, bound {bound}", bytes.len());
        assert!(is(&outcome), "{what}: {:?}", outcome.map(|labels| labels.len()));
        assert!(peak <= bound, "{what}: peak {peak} above {bound}");
    }
}

/// The measurement itself must be able to fail: allocations are seen.
fn allocations_are_seen() {
    let (block, peak) = measured(|| vec![1u8; 3 * MIB]);
    assert_eq!((block.len(), peak), (3 * MIB, 3 * MIB));
}

/// A true header of a file larger than memory: an error, not an abort.
fn too_large_for_memory_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.idx");
    let sides = [256, 512, 512];
    let mut file = File::create(&path).unwrap();
    file.write_all(&header(&sides)).unwrap();
    file.set_len(16 + 64 * MIB as u64).unwrap(); // a hole: takes no room on the disk
    let packed = zeros_behind(&sides, 64 * MIB);

    MEMORY.largest_allowed.store(16 * MIB, Relaxed);
    let outcomes = [read_images(&path), images_from_bytes("large.gz", &packed)];
    MEMORY.largest_allowed.store(usize::MAX, Relaxed);
    for outcome in outcomes {
        let error = outcome.expect_err("64 MiB where blocks of 16 MiB are the largest");
        assert!(matches!(error, IdxError::OutOfMemory { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains("large."), "{message}");
        assert!(message.contains("expected room for 67108864 bytes"), "{message}");
    }
}

/// An array of NumPy's form of a sample for each 4 KiB that follow.
fn array(kind: &str, samples: usize, shape: &str) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({samples},{shape}), }}");
    let padded = (bytes.len() + 2 + header.len() + 1).next_multiple_of(64) - bytes.len() - 3;
    bytes.extend(((padded + 1) as u16).to_le_bytes());
    bytes.extend(format!("{header:<padded$}\n").bytes());
    bytes
}

/// 120 MiB of samples are mapped, and so is the part of them that is trained on: the others are less than is worth a file.
fn parts_of_what_is_mapped_are_mapped() {
    const SAMPLES: usize = 30 << 10;
    let dir = tempfile::tempdir().unwrap();
    let header = array("<f4", SAMPLES, " 1024");
    let mut file = File::create(dir.path().join("x_train.npy")).unwrap();
    file.write_all(&header).unwrap();
    file.set_len((header.len() + SAMPLES * 4096) as u64).unwrap(); // a hole: takes no room on the disk
    let labels: Vec<u8> = (0..SAMPLES).map(|sample| (sample % 3) as u8).collect();
    let labels = [array("|u1", SAMPLES, ""), labels].concat();
    std::fs::write(dir.path().join("y_train.npy"), labels).unwrap();

    let (loaded, peak) = measured(|| load(dir.path(), &LoadOptions::default()).unwrap());
    let held = loaded.validation.unwrap().len() + loaded.test.len();
    assert_eq!((loaded.train.len(), held), (SAMPLES / 10 * 8, SAMPLES / 10 * 2));
    let bound = held * 4096 + 4 * MIB;
    println!("a split of 120 MiB: peak {peak}, bound {bound}");
    assert!(peak <= bound, "peak {peak} above {bound}");

    let ((), peak) =
        measured(|| drop(loaded.train.slice(1..20_000).unwrap().classes_as(TargetKind::Values, 1)));
    assert!(peak <= MIB, "other targets of a part: peak {peak}");
}

#[test]
fn no_file_takes_more_memory_than_its_data() {
    allocations_are_seen();
    parts_of_what_is_mapped_are_mapped();
    memory_follows_the_data();
    too_large_for_memory_is_an_error();
}
