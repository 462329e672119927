/* Reads a JPEG whose coefficients are all needed before its first pixel is known: a progressive one, or one
 * with a scan for each colour.
 *
 * TurboJPEG keeps them until the last row is out, so that in the end coefficients and planes are in memory
 * side by side. libjpeg lets its memory manager be replaced: ours gives coefficients back to the system piece by
 * piece as soon as their pixels are out, so that one grows while the other shrinks. A file is read by pieces, for
 * the same reason. A warning counts as damage.
 * Nothing is printed, nothing ends the process, and nothing is written beyond the planes. See docs/adr/0009. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MADV_HUGEPAGE */
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#define FROM_SYSTEM 1
#else
#define FROM_SYSTEM 0
#endif

#include <jpeglib.h>

#define PLANES 3
#define BAND (MAX_SAMP_FACTOR * DCTSIZE)

/* What is asked for and given back at once; also a large page of most systems. */
#define PIECE_BYTES ((size_t)2 << 20)

#if JPEG_LIB_VERSION >= 70
#define SIDE(thing) ((thing)->DCT_h_scaled_size)
#define LEAST_SIDE(info) ((info)->min_DCT_h_scaled_size)
#else
#define SIDE(thing) ((thing)->DCT_scaled_size)
#define LEAST_SIDE(info) ((info)->min_DCT_scaled_size)
#endif

struct satchel_room {
  unsigned char *bytes;
  size_t stride;
  size_t rows;
};

struct satchel_reading {
  const char *path; /* NULL: the bytes that follow */
  const unsigned char *coded;
  size_t length;
  unsigned int eighths; /* pixels along each side of what was a block of eight */
  unsigned int planes;  /* 1: grey */
  struct satchel_room room[PLANES];
};

/* Coefficients of one colour. */
struct held {
  JBLOCKROW *rows;
  unsigned char *memory; /* whole pieces from here, and what is left of the last */
  void *asked;
  size_t bytes;
  size_t given_back; /* bytes, from the top */
  JDIMENSION row_blocks;
  JDIMENSION row_count;
};

struct reader {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  jmp_buf out;
  FILE *file;
  struct held held[PLANES];
  int held_count;
};

static struct reader *reader_of(j_common_ptr info) { return (struct reader *)info->client_data; }

static void fail(j_common_ptr info) { longjmp(reader_of(info)->out, 1); }

static void told(j_common_ptr info, int level) {
  if (level < 0) fail(info);
}

static void be_silent(j_common_ptr info) { (void)info; }

/* Memory that an allocator frees stays with it, and coming by it page by page, as each is touched for the first
 * time, costs a tenth of the whole decoding: so straight from the system, in large pages where it has some. */
#if FROM_SYSTEM
static int take(struct held *held) {
  size_t whole = held->bytes - held->bytes % PIECE_BYTES;
  size_t ahead;
  void *memory = mmap(NULL, held->bytes + PIECE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED) return 0;
  ahead = (PIECE_BYTES - (uintptr_t)memory % PIECE_BYTES) % PIECE_BYTES;
  held->asked = memory;
  held->memory = (unsigned char *)memory + ahead;
#ifdef MADV_HUGEPAGE
  if (whole != 0) madvise(held->memory, whole, MADV_HUGEPAGE);
#endif
  return 1;
}

static void give_back(struct held *held, size_t up_to) {
  size_t pieces = (up_to - held->given_back) / PIECE_BYTES;

  if (pieces != 0) munmap(held->memory + held->given_back, pieces * PIECE_BYTES);
  held->given_back += pieces * PIECE_BYTES;
}

static void give_rest_back(struct held *held) {
  unsigned char *end = (unsigned char *)held->asked + held->bytes + PIECE_BYTES;
  unsigned char *left = held->memory + held->given_back;

  if (held->asked == NULL) return;
  if (held->memory != held->asked) munmap(held->asked, (size_t)(held->memory - (unsigned char *)held->asked));
  munmap(left, (size_t)(end - left));
}
#else
static int take(struct held *held) {
  size_t ahead;

  held->asked = calloc(1, held->bytes + PIECE_BYTES);
  if (held->asked == NULL) return 0;
  ahead = (PIECE_BYTES - (uintptr_t)held->asked % PIECE_BYTES) % PIECE_BYTES;
  held->memory = (unsigned char *)held->asked + ahead;
  return 1;
}

static void give_back(struct held *held, size_t up_to) { (void)held, (void)up_to; }

static void give_rest_back(struct held *held) { free(held->asked); }
#endif

static jvirt_barray_ptr request(j_common_ptr info, int pool, boolean zeroed, JDIMENSION row_blocks,
                                JDIMENSION row_count, JDIMENSION at_once) {
  struct reader *reader = reader_of(info);
  struct held *held;

  (void)pool, (void)zeroed, (void)at_once;
  if (reader->held_count == PLANES || row_blocks == 0 || row_count == 0) fail(info);
  held = &reader->held[reader->held_count++];
  held->row_blocks = row_blocks;
  held->row_count = row_count;
  held->bytes = (size_t)row_blocks * row_count * sizeof(JBLOCK);
  held->rows = malloc(row_count * sizeof *held->rows);
  if (held->rows == NULL || !take(held)) fail(info);
  for (JDIMENSION i = 0; i < row_count; i++)
    held->rows[i] = (JBLOCKROW)(void *)held->memory + (size_t)i * row_blocks;
  return (jvirt_barray_ptr)held;
}

/* Rows are only read from once all input is in, and then from top to bottom. */
static JBLOCKARRAY rows_at(j_common_ptr info, jvirt_barray_ptr which, JDIMENSION first, JDIMENSION count,
                           boolean writable) {
  struct held *held = (struct held *)which;
  size_t before = (size_t)first * held->row_blocks * sizeof(JBLOCK);

  if (count == 0 || first >= held->row_count || count > held->row_count - first) fail(info);
  if (!writable && before > held->given_back) give_back(held, before);
  if (before < held->given_back) fail(info);
  return held->rows + first;
}

static int fits(j_decompress_ptr info, const struct satchel_reading *in) {
  if (info->num_components != (int)in->planes || LEAST_SIDE(info) != (int)in->eighths) return 0;
  for (int i = 0; i < info->num_components; i++) {
    const jpeg_component_info *part = &info->comp_info[i];
    if ((size_t)part->width_in_blocks * in->eighths > in->room[i].stride ||
        (size_t)part->height_in_blocks * in->eighths > in->room[i].rows)
      return 0;
  }
  return 1;
}

/* The next band of rows. Those below a plane's last block are asked for and not written. */
static void band(j_decompress_ptr info, const struct satchel_reading *in) {
  JSAMPROW rows[PLANES][BAND];
  JSAMPARRAY planes[PLANES] = {rows[0], rows[1], rows[2]};
  JDIMENSION lines = (JDIMENSION)info->max_v_samp_factor * in->eighths;
  JDIMENSION number = info->output_scanline / lines;

  for (int i = 0; i < info->num_components; i++) {
    const struct satchel_room *room = &in->room[i];
    size_t count = (size_t)info->comp_info[i].v_samp_factor * in->eighths;
    for (size_t row = 0; row < count; row++) {
      size_t at = number * count + row;
      rows[i][row] = room->bytes + (at < room->rows ? at : room->rows - 1) * room->stride;
    }
  }
  jpeg_read_raw_data(info, planes, lines);
}

static int decode(struct reader *reader, const struct satchel_reading *in) {
  j_decompress_ptr info = &reader->info;
  int step;

  if (setjmp(reader->out)) return 0;
  jpeg_create_decompress(info);
  info->mem->request_virt_barray = request;
  info->mem->access_virt_barray = rows_at;
  if (in->path != NULL) {
    reader->file = fopen(in->path, "rb");
    if (reader->file == NULL) return 0;
    jpeg_stdio_src(info, reader->file);
  } else {
    jpeg_mem_src(info, in->coded, (unsigned long)in->length);
  }
  jpeg_read_header(info, TRUE);
  info->scale_num = in->eighths;
  info->scale_denom = DCTSIZE;
  info->raw_data_out = TRUE;
  info->buffered_image = TRUE;
  jpeg_start_decompress(info);
  if (!fits(info, in)) return 0;
  do {
    step = jpeg_consume_input(info);
    if (step == JPEG_SUSPENDED) return 0;
  } while (step != JPEG_REACHED_EOI);
  /* libjpeg would shrink colour less than brightness, to save the blowing up that is not done here. */
  for (int i = 0; i < info->num_components; i++) {
    SIDE(&info->comp_info[i]) = LEAST_SIDE(info);
#if JPEG_LIB_VERSION >= 70
    info->comp_info[i].DCT_v_scaled_size = LEAST_SIDE(info);
#endif
  }
  jpeg_start_output(info, info->input_scan_number);
  while (info->output_scanline < info->output_height) band(info, in);
  jpeg_finish_output(info);
  jpeg_finish_decompress(info);
  return 1;
}

/* 1 when every pixel is there; 0 when the file is damaged, does not fit or memory ran out. */
int satchel_jpeg_read(const struct satchel_reading *in) {
  struct reader reader;
  int done;

  if (in->planes == 0 || in->planes > PLANES || in->eighths == 0 || in->eighths > DCTSIZE) return 0;
  memset(&reader, 0, sizeof reader);
  reader.info.err = jpeg_std_error(&reader.errors);
  reader.errors.error_exit = fail;
  reader.errors.emit_message = told;
  reader.errors.output_message = be_silent;
  reader.info.client_data = &reader;
  done = decode(&reader, in);
  jpeg_destroy_decompress(&reader.info);
  if (reader.file != NULL) fclose(reader.file);
  for (int i = 0; i < reader.held_count; i++) {
    struct held *held = &reader.held[i];
    give_rest_back(held);
    free(held->rows);
  }
  return done;
}
