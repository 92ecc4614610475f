# Carterfone's front door. GNU make and a Debian 12 are all it assumes; `make setup-*` install the rest.
#   make run        install what is needed, build, start the server with the simulated carrier
#   make test       install, build, run every test
#   make build      build/carterfone, optimised
# FLAVOUR picks another build beside it: release (default), debug, asan, tsan, fuzz (clang).

FLAVOUR ?= release
B       := build/$(FLAVOUR)
GEN     := build/gen
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif

WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef \
           -Wimplicit-fallthrough -Wvla -Wno-missing-field-initializers -Woverride-init -Wswitch
CFLAGS_ := -std=c17 -D_GNU_SOURCE -pthread -Isrc -I$(GEN) $(WARN) -MMD -MP -g -fno-omit-frame-pointer
HARDEN  := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2 -fstack-clash-protection -fcf-protection
LD_     := -pthread

ifeq ($(FLAVOUR),release)
CFLAGS_ += -O2 $(HARDEN)
LD_     += -pie -Wl,-z,relro,-z,now
else ifeq ($(FLAVOUR),debug)
CFLAGS_ += -O0
else ifeq ($(FLAVOUR),asan)
CFLAGS_ += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
LD_     += -fsanitize=address,undefined
else ifeq ($(FLAVOUR),tsan)
CFLAGS_ += -O1 -fsanitize=thread
LD_     += -fsanitize=thread
else ifeq ($(FLAVOUR),fuzz)
CC      := clang
CFLAGS_ += -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -Wno-initializer-overrides -Wno-gnu-alignof-expression
LD_     += -fsanitize=address,undefined
else
$(error FLAVOUR is release, debug, asan, tsan or fuzz)
endif

# third-party headers that our warnings must not judge come by -isystem
PKGS    := libmicrohttpd gnutls libcurl libuv sofia-sip-ua spandsp sndfile openssl sqlite3 jansson
ifneq ($(shell command -v pkg-config),)
CFLAGS_ += $(patsubst -I%,-isystem%,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lyaml -lm
endif

SRC     := $(sort $(shell find src -name '*.c'))
MAIN    := src/main/main.c
LIB_OBJ := $(patsubst %.c,$(B)/%.o,$(filter-out $(MAIN),$(SRC)))
UNIT    := $(sort $(shell find tests/unit -name 'test_*.c' 2>/dev/null))
UNIT_BIN:= $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT))
FUZZ    := $(sort $(shell find tests/fuzz -name 'fuzz_*.c' 2>/dev/null))

.PHONY: build all unit layers clean gen
build: build/carterfone

build/carterfone: $(B)/carterfone
	@ln -sf $(FLAVOUR)/carterfone build/carterfone

# -- generated tables: tools/*.awk and tools/*.c read data/ and src/, and print build/gen/* --------------------------
include tools/gen.mk
gen: $(GENERATED)

$(B)/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CFLAGS_) $(CFLAGS) -c $< -o $@

# every object but main, so that unit tests link what they need
$(B)/libcarterfone.a: $(LIB_OBJ)
	@rm -f $@ && ar rcs $@ $^

$(B)/carterfone: $(patsubst %.c,$(B)/%.o,$(wildcard $(MAIN))) $(LIB_OBJ)
	@echo "  ld $@"
	@$(CC) $(LD_) -o $@ $^ $(LIBS)

# -- unit tests -------------------------------------------------------------------------------------------------------
$(B)/unit/%: tests/unit/%.c $(B)/libcarterfone.a
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CFLAGS_) $(CFLAGS) -Itests $< -o $@ $(LD_) -Wl,--whole-archive $(B)/libcarterfone.a -Wl,--no-whole-archive $(LIBS) -lcmocka

unit: $(UNIT_BIN)
	@set -e; for t in $(UNIT_BIN); do echo "unit $$t"; $$t; done

# -- fuzz targets: make fuzz T=smpp [SECONDS_EACH=10] ---------------------------------------------------------------------
SECONDS_EACH ?= 10
build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c build/fuzz/libcarterfone.a
	@mkdir -p $(@D)
	@clang $(CFLAGS_) -fsanitize=fuzzer $< -o $@ $(LD_) build/fuzz/libcarterfone.a $(LIBS)

layers:
	@sh tools/layers.sh

-include $(shell find build -name '*.d' 2>/dev/null)
