/* Writes planes as baseline JPEG through libjpeg-turbo with quantisation tables of the caller.
 *
 * TurboJPEG, the interface the rest goes through, takes a quality and nothing else. This is the least C that
 * reaches the older libjpeg interface of the same library: its structures differ between versions and
 * platforms, so they are best filled by the compiler that sees their headers. Errors come back as a number;
 * nothing is printed and nothing ends the process. See docs/adr/0009. */
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>

#define BLOCK 8
#define BAND 16

struct satchel_planes {
  const unsigned char *luma;
  const unsigned char *blue; /* NULL: grey */
  const unsigned char *red;
  size_t luma_stride;
  size_t chroma_stride;
  unsigned int luma_rows;
  unsigned int chroma_rows;
  unsigned int width;
  unsigned int height;
  const unsigned int *luma_table; /* 64 divisors, row by row */
  const unsigned int *chroma_table;
};

struct failure {
  struct jpeg_error_mgr base;
  jmp_buf out;
};

static void fail(j_common_ptr info) { longjmp(((struct failure *)info->err)->out, 1); }

/* Where the bytes go: memory of the caller, never grown. */
struct room {
  struct jpeg_destination_mgr base;
  unsigned char *bytes;
  size_t capacity;
};

static void begin(j_compress_ptr info) {
  struct room *room = (struct room *)info->dest;
  room->base.next_output_byte = room->bytes;
  room->base.free_in_buffer = room->capacity;
}

static boolean full(j_compress_ptr info) {
  info->err->error_exit((j_common_ptr)info);
  return FALSE;
}

static void end(j_compress_ptr info) { (void)info; }

static void be_silent(j_common_ptr info) { (void)info; }

static void point_at(JSAMPROW *rows, const unsigned char *plane, size_t stride, unsigned int first,
                     unsigned int count, unsigned int there) {
  for (unsigned int i = 0; i < count; i++) {
    unsigned int row = first + i < there ? first + i : there - 1;
    rows[i] = (JSAMPROW)(plane + (size_t)row * stride);
  }
}

/* How many bytes were written; 0 when they do not fit or memory ran out. */
size_t satchel_jpeg_write(const struct satchel_planes *in, unsigned char *bytes, size_t capacity) {
  struct jpeg_compress_struct info;
  struct failure failure;
  struct room room;
  JSAMPROW luma[BAND], blue[BLOCK], red[BLOCK];
  JSAMPARRAY planes[3] = {luma, blue, red};
  int grey = in->blue == NULL;

  info.err = jpeg_std_error(&failure.base);
  failure.base.error_exit = fail;
  failure.base.output_message = be_silent;
  if (setjmp(failure.out)) {
    jpeg_destroy_compress(&info);
    return 0;
  }
  jpeg_create_compress(&info);
  room.base.init_destination = begin;
  room.base.empty_output_buffer = full;
  room.base.term_destination = end;
  room.bytes = bytes;
  room.capacity = capacity;
  info.dest = &room.base;
  info.image_width = in->width;
  info.image_height = in->height;
  info.input_components = grey ? 1 : 3;
  info.in_color_space = grey ? JCS_GRAYSCALE : JCS_YCbCr;
  jpeg_set_defaults(&info);
  jpeg_add_quant_table(&info, 0, in->luma_table, 100, TRUE);
  if (!grey) jpeg_add_quant_table(&info, 1, in->chroma_table, 100, TRUE);
  info.raw_data_in = TRUE;
  info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = grey ? 1 : 2;
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    unsigned int band = grey ? BLOCK : BAND;
    point_at(luma, in->luma, in->luma_stride, info.next_scanline, band, in->luma_rows);
    if (!grey) {
      point_at(blue, in->blue, in->chroma_stride, info.next_scanline / 2, BLOCK, in->chroma_rows);
      point_at(red, in->red, in->chroma_stride, info.next_scanline / 2, BLOCK, in->chroma_rows);
    }
    jpeg_write_raw_data(&info, planes, band);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  return capacity - room.base.free_in_buffer;
}
