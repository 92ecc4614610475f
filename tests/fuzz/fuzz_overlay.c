/* Any octets as a file of an operator's catalogue folder: it is in force whole, or a fault names the file. The first octet says which. */
#include "base/str.h"
#include "domain/numbers/overlay.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/carterfone-fuzz-XXXXXX";

static void remove_folder(void)
{
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const files[] = { "availability.csv", "countries.csv", "usage.csv", "rates.csv", "areas.csv" };
    static bool made;
    char path[64];
    struct overlay *o = NULL;
    struct problem why = { 0 };
    if (!size)
        return 0;
    if (!made) {
        made = mkdtemp(folder) != NULL;
        assert(made);
        atexit(remove_folder);
    }
    snprintf(path, sizeof path, "%s/%s", folder, files[data[0] % ARRAY_LEN(files)]);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
    close(fd);
    if (overlay_load(&o, folder, data[0] & 64 ? "current" : "2020-10", &why)) {
        assert(strstr(why.text, folder));
    } else {
        size_t n;
        assert(utf8_valid(str_of(overlay_changes(o, &n))));
    }
    overlay_free(o);
    unlink(path);
    return 0;
}
