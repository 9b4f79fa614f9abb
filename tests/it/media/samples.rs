//! Pictures and other files, made byte by byte, so that nothing is in them that a test does not know of.

use base64::Engine as _;

/// Words that must be gone from whatever is made anew.
pub(super) const SECRET: &str = "51.4778N 0.0014W";

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (0..8).fold(crc, |crc, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 });
    !bytes.iter().fold(u32::MAX, |crc, byte| step((crc ^ u32::from(*byte)) & 0xFF) ^ (crc >> 8))
}

fn adler(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

/// Stored blocks without compression.
fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut chunks = bytes.chunks(65_535).peekable();
    while let Some(chunk) = chunks.next() {
        let length = u16::try_from(chunk.len()).expect("a short chunk");
        out.push(u8::from(chunks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(chunk);
    }
    out.extend(adler(bytes).to_be_bytes());
    out
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut body = name.to_vec();
    body.extend(content);
    let mut out = u32::try_from(content.len()).expect("a short chunk").to_be_bytes().to_vec();
    out.extend(&body);
    out.extend(crc(&body).to_be_bytes());
    out
}

fn png_of(width: u32, height: u32, colour: u8, rows: &[u8]) -> Vec<u8> {
    let mut head = width.to_be_bytes().to_vec();
    head.extend(height.to_be_bytes());
    head.extend([8, colour, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(b"IHDR", &head));
    png.extend(chunk(b"tEXt", format!("Comment\0{SECRET}").as_bytes()));
    png.extend(chunk(b"IDAT", &zlib(rows)));
    png.extend(chunk(b"IEND", b""));
    png
}

/// Red to the left and blue to the right; with holes if `holes`.
pub(super) fn png(width: u32, height: u32, holes: bool) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..height {
        rows.push(0);
        for x in 0..width {
            rows.extend(if x < width / 2 { [255, 0, 0] } else { [0, 0, 255] });
            if holes {
                rows.push(if (x + y) % 2 == 0 { 0 } else { 255 });
            }
        }
    }
    png_of(width, height, if holes { 6 } else { 2 }, &rows)
}

/// A head that claims so many pixels, and nearly nothing behind it.
pub(super) fn bomb(side: u32) -> Vec<u8> {
    png_of(side, side, 2, &[0; 1_000])
}

/// A GIF of 2×2 pixels and so many frames, with a comment.
pub(super) fn gif(frames: usize) -> Vec<u8> {
    let mut gif = b"GIF89a\x02\0\x02\0\x80\0\0\xff\0\0\0\0\xff".to_vec();
    gif.extend(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0");
    gif.extend([0x21, 0xfe, u8::try_from(SECRET.len()).expect("short")]);
    gif.extend(SECRET.as_bytes());
    gif.push(0);
    for _ in 0..frames {
        gif.extend(b"\x21\xf9\x04\0\x05\0\0\0");
        gif.extend(b"\x2c\0\0\0\0\x02\0\x02\0\0\x02\x03\x04\x12\x05\0");
    }
    gif.push(0x3b);
    gif
}

/// A JPEG of 16×8 pixels, dark to the left and light to the right, that says it lies on its side, and where it was taken.
pub(super) fn jpeg_on_its_side() -> Vec<u8> {
    let plain = base64::engine::general_purpose::STANDARD.decode(JPEG.replace(['\n', ' '], "")).expect("base64");
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01".to_vec();
    // Orientation 6: to be turned by a quarter.
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    exif.extend(SECRET.as_bytes());
    let mut jpeg = plain[..2].to_vec();
    jpeg.extend([0xff, 0xe1]);
    jpeg.extend(u16::try_from(exif.len() + 2).expect("short").to_be_bytes());
    jpeg.extend(exif);
    jpeg.extend(&plain[2..]);
    jpeg
}

const JPEG: &str = include_str!("sideways.jpg.base64");

/// A WebP that moves, with words in it.
pub(super) fn moving_webp() -> Vec<u8> {
    base64::engine::general_purpose::STANDARD
        .decode(include_str!("moving.webp.base64").replace(['\n', ' '], ""))
        .expect("base64")
}

/// Whether bytes stand anywhere in others.
pub(super) fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}
