/* Prints sizes and offsets of the image's structures, for a comparison with the writer's. */
#include <stddef.h>
#include <stdio.h>

#include "image.h"
#include "libraries.h"
#include "snapshot.h"

#define SIZE(type) printf("%s %zu\n", #type, sizeof(struct type))
#define OFFSET(type, field) printf("%s.%s %zu\n", #type, #field, offsetof(struct type, field))
#define VALUE(name) printf("%s %llu\n", #name, (unsigned long long)(name))

int main(void)
{
    SIZE(cw_header);
    SIZE(cw_range);
    SIZE(cw_string);
    SIZE(cw_list);
    SIZE(cw_blob);
    SIZE(cw_node);
    SIZE(cw_settings);
    SIZE(cw_library);
    SIZE(cw_piece);
    SIZE(cw_need);
    SIZE(cw_slot);
    SIZE(cw_fixup);
    SIZE(cw_snapshot_head);
    SIZE(cw_snapshot_range);
    SIZE(cw_page_run);
    OFFSET(cw_header, sections);
    OFFSET(cw_node, parent);
    OFFSET(cw_node, data);
    OFFSET(cw_node, code);
    OFFSET(cw_settings, name);
    OFFSET(cw_settings, xoptions);
    OFFSET(cw_snapshot_head, image_id);
    OFFSET(cw_snapshot_head, plan_size);
    OFFSET(cw_snapshot_head, working_set_size);
    OFFSET(cw_snapshot_head, cpu);
    OFFSET(cw_snapshot_head, checksum);
    VALUE(CW_VERSION);
    VALUE(CW_SEGMENT_TAG);
    VALUE(CW_SECTIONS);
    VALUE(CW_NODES);
    VALUE(CW_DATA);
    VALUE(CW_HAS_DATA);
    VALUE(CW_HAS_CODE);
    VALUE(CW_DATA_ZSTD);
    VALUE(CW_EXECUTABLE);
    VALUE(CW_NATIVE);
    VALUE(CW_LIBRARIES);
    VALUE(CW_PAGES);
    VALUE(CW_DATA_DIFFERENCE);
    VALUE(CW_WEAK);
    VALUE(CW_RELRO);
    VALUE(CW_FIX_RESOLVED);
    VALUE(CW_REGION);
    VALUE(CW_REGION_END);
    VALUE(CW_STUBS);
    VALUE(CW_CODE_SLOTS);
    VALUE(CW_FIRST_LIBRARY);
    VALUE(CW_QUIET);
    VALUE(CW_INTERPRETER);
    VALUE(CW_ENVIRONMENT);
    VALUE(CW_REBAKE);
    VALUE(CW_SNAPSHOT_ROOM);
    return 0;
}
