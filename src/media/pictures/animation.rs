//! Pictures that move: each frame is decoded, and what is kept holds frames and nothing else.

use std::{io::Cursor, num::NonZeroU64};

use bytes::Bytes;
use gif::{ColorOutput, DecodeOptions, Encoder, MemoryLimit};
use image::{
    AnimationDecoder as _, DynamicImage, ImageDecoder as _, codecs::gif::GifDecoder, codecs::webp::WebPDecoder,
};

use super::{Anew, FRAMES, MEMORY, PIXELS_OF_ALL, Unmade, limits, small, within};

fn undecodable(error: impl std::fmt::Display) -> Unmade {
    Unmade::Undecodable(error.to_string())
}

/// A GIF with the frames, their palettes and their times; comments and what programs left in it are gone.
pub(super) fn gif(bytes: &[u8]) -> Result<Anew, Unmade> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Bytes(NonZeroU64::new(MEMORY).unwrap_or(NonZeroU64::MIN)));
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(undecodable)?;
    let (width, height) = (decoder.width(), decoder.height());
    within((width.into(), height.into()))?;
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut encoder = Encoder::new(Vec::new(), width, height, &palette).map_err(undecodable)?;
    let (mut frames, mut pixels) = (0, 0);
    while let Some(frame) = decoder.read_next_frame().map_err(undecodable)? {
        frames += 1;
        pixels += u64::from(frame.width) * u64::from(frame.height);
        if frames > FRAMES || pixels > PIXELS_OF_ALL {
            return Err(Unmade::Frames);
        }
        // As it was decoded the lines are in their order.
        let frame = gif::Frame { interlaced: false, ..frame.clone() };
        if frames == 1 {
            // It stands before the first frame, and is known once that was read.
            encoder.set_repeat(decoder.repeat()).map_err(undecodable)?;
        }
        encoder.write_frame(&frame).map_err(undecodable)?;
    }
    if frames == 0 {
        return Err(undecodable("no frame"));
    }
    let anew = encoder.into_inner().map_err(undecodable)?;
    let (thumbnail, thumbnail_type, blurhash) = small(&first_of_gif(bytes)?)?;
    let (width, height) = (width.into(), height.into());
    Ok(Anew { bytes: anew.into(), media_type: "image/gif", width, height, blurhash, thumbnail, thumbnail_type })
}

fn first_of_gif(bytes: &[u8]) -> Result<DynamicImage, Unmade> {
    let mut decoder = GifDecoder::new(Cursor::new(bytes))?;
    decoder.set_limits(limits())?;
    Ok(DynamicImage::from_decoder(decoder)?)
}

pub(super) fn is_animated_webp(bytes: &[u8]) -> Result<bool, Unmade> {
    Ok(WebPDecoder::new(Cursor::new(bytes))?.has_animation())
}

/// The pieces of a WebP that are frames, or that say how they follow each other.
const KEPT: [&[u8; 4]; 3] = [b"VP8X", b"ANIM", b"ANMF"];
/// Those of a frame.
const KEPT_OF_FRAME: [&[u8; 4]; 3] = [b"ALPH", b"VP8 ", b"VP8L"];
/// What stands before the pieces of a frame: where it is and for how long.
const FRAME_HEAD: usize = 16;
/// The bits of the first piece that say that there is something transparent, and that it moves.
const FLAGS: u8 = 0b0001_0010;

/// A WebP that moves, with its frames and their times. There is nothing that encodes them anew as small as they are, so each
/// is decoded, to see that it can be, and kept as it is; pieces of every other sort are left out.
pub(super) fn webp(bytes: &[u8]) -> Result<Anew, Unmade> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes))?;
    decoder.set_limits(limits())?;
    let (width, height) = decoder.dimensions();
    within((width, height))?;
    let (mut first, mut pixels) = (None, 0);
    for (number, frame) in decoder.into_frames().enumerate() {
        pixels += u64::from(width) * u64::from(height);
        if number >= FRAMES || pixels > PIXELS_OF_ALL {
            return Err(Unmade::Frames);
        }
        let frame = frame?;
        first.get_or_insert_with(|| DynamicImage::ImageRgba8(frame.into_buffer()));
    }
    let first = first.ok_or_else(|| undecodable("no frame"))?;
    let (thumbnail, thumbnail_type, blurhash) = small(&first)?;
    let anew = without_words(bytes).ok_or_else(|| undecodable("not a row of pieces"))?;
    Ok(Anew { bytes: anew, media_type: "image/webp", width, height, blurhash, thumbnail, thumbnail_type })
}

fn without_words(bytes: &[u8]) -> Option<Bytes> {
    let mut body = b"WEBP".to_vec();
    for (name, content) in pieces(bytes.get(12..)?)? {
        if !KEPT.contains(&&name) {
            continue;
        }
        let mut content = content.to_vec();
        if &name == b"VP8X" {
            *content.first_mut()? &= FLAGS;
        } else if &name == b"ANMF" {
            let mut frame = content.get(..FRAME_HEAD)?.to_vec();
            let kept =
                pieces(content.get(FRAME_HEAD..)?)?.into_iter().filter(|(name, _)| KEPT_OF_FRAME.contains(&name));
            kept.for_each(|(name, content)| append(&mut frame, name, content));
            content = frame;
        }
        append(&mut body, name, &content);
    }
    let mut anew = b"RIFF".to_vec();
    anew.extend_from_slice(&u32::try_from(body.len()).ok()?.to_le_bytes());
    anew.append(&mut body);
    Some(anew.into())
}

type Pieces<'a> = Vec<([u8; 4], &'a [u8])>;

/// Name, length, content, and a byte more where the length is odd.
fn pieces(mut bytes: &[u8]) -> Option<Pieces<'_>> {
    let mut found = Vec::new();
    while bytes.len() >= 8 {
        let (name, rest) = bytes.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        found.push((*name, rest.get(..length)?));
        bytes = rest.get(length + length % 2..).unwrap_or_default();
    }
    Some(found)
}

fn append(to: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    to.extend_from_slice(&name);
    to.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    to.extend_from_slice(content);
    if content.len() % 2 == 1 {
        to.push(0);
    }
}
