"""Valid arguments for every exported function, by type where that tells enough, else by name: for nulls.py."""
import os
import re
import sys
import tempfile

import cffi

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(SOURCE, "examples", "python"))
import make_cdef  # pylint: disable=wrong-import-position

DEMO = os.path.join(SOURCE, "demo", "")
# The file behind "path", "model_path", "bytes", "text" and "nbytes", by the beginning of the function's name.
FILES = {"kldve_image_": "pictures/scene1.png", "kldve_labels_": "kldve-demo.labels.txt",
         "kldve_card_beside": "kldve-demo.onnx", "kldve_card_": "kldve-demo.card.json",
         "kldve_onnx_": "kldve-demo.onnx"}
SCORES = 8  # of the divergence
ROOM = 1 << 16  # elements of an array of the caller's: more than any of the networks' has
# Numbers, by FUNCTION.NAME or NAME.
NUMBERS = {
    "index": 0, "target": 0, "x": 0, "y": 0, "frame": 0, "kind": 0, "limit": 0, "rule": 0, "quality": 0, "stride": 0,
    "flag": 1, "level": 1, "layer": 0, "max_level": 1, "reading": 1, "colormap": 1, "view": 1, "upsampling": 1, "fit": 1, "interpolation": 1,
    "format": 1, "count": 1, "done": 1, "total": 2,
    "size": 64, "width": 32, "height": 32, "out_width": 32, "out_height": 32, "nbytes": 64, "n": SCORES, "classes": SCORES, "value": 1 << 40,
    "status": -1, "kldve_ctx_leave.status": 0, "milliseconds": 1e6, "temperature": 2.0, "perplexity": 3.0, "part": 0.5,
    "seed": 0, "kldve_colormap_rgb.value": 0.5}
STRINGS = {
    "message": "why", "format": "plain", "call": "test", "stage": "test", "what": "0", "folder": DEMO, "kldve_printable.text": "a label",
    "kldve_colormap_from_name.name": "jet", "kldve_reading_from_name.name": "paper",
    "kldve_map_view_from_name.name": "masked", "kldve_upsampling_from_name.name": "lanczos",
    "kldve_method_find.name": "kl-dve", "kldve_metric_find.name": "energy_area",
    "kldve_metric_compute.name": "energy_area", "kldve_agreement.name": "pearson", "kldve_struct_load.name": "kldve_options",
    "kldve_struct_store.name": "kldve_options"}


class Unknown(Exception):
    """A parameter that this file has no valid value for."""


class Parameter:
    def __init__(self, function, kind, name):
        self.function, self.type, self.name = function, kind, name
        self.base = re.sub(r"\bconst\b|\*| ", "", kind)

    @staticmethod
    def parse(function, text):
        """From "const float *values" or "uint8_t rgb[3]"."""
        kind, name, array = re.fullmatch(r"(.*?)(\w+)(\[\d*\])?", text).groups()
        return Parameter(function, kind.strip() + (" *" if array else ""), name)

    def is_pointer(self):
        return self.type.endswith("*") or self.base.endswith("_fn")

    def is_object(self):
        return self.type in (f"{self.base} *", f"const {self.base} *") and self.base in World.OBJECTS

    def is_output(self):
        """What it points to is written: it is not const, and no object."""
        pointee = self.type[:-1].strip()
        constant = pointee.endswith("const") if "*" in pointee else pointee.startswith("const")
        return self.type.endswith("*") and not constant and not self.is_object() and self.base != "void" or \
            self.type == "void **"

    def of(self, table):
        """Its entry in a table by FUNCTION.NAME or NAME, or None."""
        return table.get(f"{self.function}.{self.name}", table.get(self.name))


class World:
    """The libraries, and one object of each kind that they made.  All else is new for each call."""
    OBJECTS = ("kldve_ctx", "kldve_image", "kldve_labels", "kldve_heatmap", "kldve_explainer", "kldve_onnx",
               "kldve_card", "kldve_divergence", "kldve_job", "kldve_metric_job")

    def __init__(self, libraries):
        self.text, self.ffi = make_cdef.cdef(), cffi.FFI()
        self.ffi.cdef(self.text + "typedef struct { long double number; } max_align;")
        self.libraries = [self.ffi.dlopen(path, self.ffi.RTLD_GLOBAL | self.ffi.RTLD_NOW) for path in libraries]
        self.folder = tempfile.TemporaryDirectory()
        self.kept, self.arrays_made = [], {}
        self.written = {}  # outputs of the call, by the names of its parameters
        self.special = {}  # by FUNCTION.NAME
        self.objects = {"kldve_ctx": self.new_ctx()}
        self.make_networks()
        self.make_maps()
        self.make_others()
        self.function("kldve_ctx_set_log")(self.objects["kldve_ctx"], 3, self.callback("kldve_log_fn"), self.ffi.NULL)
        for kind in "float", "double", "int32_t":
            self.numbers(kind)  # children share them

    def function(self, name):
        for library in self.libraries:
            if hasattr(library, name):
                return getattr(library, name)
        raise Unknown(name)

    def keep(self, made):
        self.kept.append(made)
        return made

    def check(self, status):
        if status:
            raise Unknown(f"status {status}: {self.message()}")

    def make(self, kind, name, *arguments):
        """An object from a function whose last parameter is the result."""
        out = self.ffi.new(kind + " **")
        self.check(self.function(name)(*arguments, out))
        return out[0]

    def message(self):
        return self.ffi.string(self.function("kldve_ctx_message")(self.objects["kldve_ctx"])).decode()

    def plain(self, result):
        """The result of a call, of a string its characters."""
        if not isinstance(result, self.ffi.CData):
            return result
        if result == self.ffi.NULL:
            return None
        return self.ffi.string(result) if self.ffi.typeof(result).item.cname == "char" else "a pointer"

    # Objects.

    def new_ctx(self):
        return self.make("kldve_ctx", "kldve_ctx_new", self.ffi.NULL)

    def struct(self, kind, **members):
        made = self.keep(self.ffi.new(kind + " *"))
        made.struct_size = self.ffi.sizeof(kind)
        for name, value in members.items():
            setattr(made, name, value)
        return made

    def make_networks(self):
        ctx = self.objects["kldve_ctx"]

        def opened(name, flags):
            options = self.struct("kldve_onnx_options", threads=1, flags=flags)
            return self.make("kldve_explainer", "kldve_onnx_explainer", ctx, (DEMO + name).encode(), options)
        self.objects["kldve_explainer"] = opened("kldve-demo.onnx", 1)  # KLDVE_ONNX_FLAG_VJP_INPUT
        self.transformer = opened("kldve-vit.onnx", 1)
        self.special["kldve_explain_features.explainer"] = opened("kldve-demo.onnx", 256)  # KLDVE_ONNX_FLAG_HEAD
        options = self.struct("kldve_onnx_options", threads=1)
        self.objects["kldve_onnx"] = self.make("kldve_onnx", "kldve_onnx_load", ctx,
                                               (DEMO + "kldve-demo.onnx").encode(), options)
        self.objects["kldve_image"] = self.make("kldve_image", "kldve_image_load", ctx,
                                                (DEMO + "pictures/scene1.png").encode())

        # The demonstration network has no note.
        self.special["kldve_explainer_note.explainer"] = self.transformer
        self.special["kldve_onnx_note.net"] = self.function("kldve_onnx_explainer_net")(self.transformer)

    def make_maps(self):
        explainer, picture = self.objects["kldve_explainer"], self.objects["kldve_image"]

        def explained(**options):
            return self.make("kldve_heatmap", "kldve_explain", explainer, picture,
                             self.struct("kldve_options", **options))
        self.objects["kldve_heatmap"] = explained()
        self.special["kldve_heatmap_error.map"] = explained(method=self.chars("smooth-grad"), samples=2)

    def make_others(self):
        ctx = self.objects["kldve_ctx"]
        card = b'{"inputs": {"other": 1}, "dims": {"N": 2}, "grid": [2, 2]}'
        self.objects["kldve_card"] = self.make("kldve_card", "kldve_card_parse", ctx, card, len(card), self.ffi.NULL)
        self.objects["kldve_labels"] = self.make("kldve_labels", "kldve_labels_load", ctx,
                                                 (DEMO + "kldve-demo.labels.txt").encode())
        options = self.struct("kldve_divergence_options", perplexity=3)
        made = self.make("kldve_divergence", "kldve_divergence_new", ctx, SCORES, options)
        null = self.ffi.NULL
        self.check(self.function("kldve_divergence_set_scores")(made, self.numbers("double")))
        self.check(self.function("kldve_divergence_truth")(made, self.numbers("double"), null, null))
        self.objects["kldve_divergence"] = made

    # Arguments.

    def chars(self, text):
        return self.keep(self.ffi.new("char[]", text.encode()))

    def numbers(self, kind):
        """An array to read: SCORES probabilities, and so on from the first again."""
        if kind not in self.arrays_made:
            self.arrays_made[kind] = self.new_numbers(kind)
        return self.arrays_made[kind]

    def new_numbers(self, kind):
        total = SCORES * (SCORES + 1) / 2
        values = range(SCORES) if kind in ("int32_t", "uint8_t") else [(i + 1) / total for i in range(SCORES)]
        first, array = self.ffi.new(kind + "[]", list(values)), self.ffi.new(kind + "[]", ROOM)
        self.ffi.buffer(array)[:] = bytes(self.ffi.buffer(first)) * (ROOM // SCORES)
        return array

    def output(self, name, kind, count):
        """Memory to write to, which nulls.py compares."""
        array = self.keep(self.ffi.new(kind + "[]", count))
        self.ffi.buffer(array)[:] = b"\xa5" * self.ffi.sizeof(array)
        self.written[name] = array
        return array

    def outputs(self):
        """-> {name of a parameter: what it points to now}, of those that valid() was asked for"""
        return {name: bytes(self.ffi.buffer(array)) for name, array in self.written.items()}

    def callback(self, kind):
        function = self.ffi.getctype(kind)
        kind = self.ffi.typeof(function)
        return self.keep(self.ffi.callback(kind, (lambda *_: None) if kind.result.kind == "void" else lambda *_: 0))

    def file(self, parameter):
        """-> the path that the function reads"""
        for start, name in FILES.items():
            if parameter.function.startswith(start):
                return DEMO + name
        raise Unknown(parameter.function + "." + parameter.name)

    def bytes_of(self, path):
        with open(path, "rb") as file:
            return file.read()

    def pixels(self, _):
        """Pixels of the size of the picture, in memory that may be written."""
        image = self.objects["kldve_image"]
        width, height = self.function("kldve_image_width")(image), self.function("kldve_image_height")(image)
        made = self.struct("kldve_pixels", width=width, height=height)
        made.plane[0] = self.output("plane", "uint8_t", width * height * 3)
        return made

    def allocator(self, _):
        made = self.struct("kldve_allocator")

        def alloc(_, nbytes):
            return self.keep(self.ffi.new("max_align[]", nbytes // 16 + 1))
        made.alloc = self.keep(self.ffi.callback(self.ffi.typeof(made.alloc), alloc))
        made.free = self.keep(self.ffi.callback(self.ffi.typeof(made.free), lambda *_: None))
        return made

    def arrays(self, _):
        numbers = self.numbers("float")
        return self.struct("kldve_arrays", logits=numbers, features=numbers, gradient=numbers, classes=SCORES, maps=4,
                           height=3, width=5)

    def feature_maps(self, parameter):
        shape = self.struct("kldve_shape")
        self.check(self.function("kldve_explainer_shape")(self.special[parameter.function + ".explainer"], shape))
        return self.struct("kldve_feature_maps", values=self.numbers("float"), count=shape.head)

    def files(self, _):
        made = self.struct("kldve_onnx_files")
        self.check(self.function("kldve_onnx_demo")(made))
        return made

    def method(self, _):
        return self.made_by_host("kldve_method", "map")

    def metric(self, _):
        made = self.made_by_host("kldve_metric", "compute")
        made.low, made.high = 0, 1
        return made

    def made_by_host(self, kind, slot):
        made = self.struct(kind, name=self.chars("hosts"))
        setattr(made, slot, self.keep(self.ffi.callback(self.ffi.typeof(getattr(made, slot)), lambda *_: 0)))
        return made

    def names(self, parameter):
        if parameter.function == "kldve_metric_compute_several":
            return self.keep(self.ffi.new("char *[]", [self.chars("energy_area")]))
        chosen = self.struct("kldve_onnx_choice")
        self.check(self.function("kldve_onnx_chosen")(self.objects["kldve_onnx"], chosen))
        return self.keep(self.ffi.new("char *[]", [chosen.layer]))

    STRUCTS = {"kldve_pixels": pixels, "kldve_allocator": allocator, "kldve_arrays": arrays,
               "kldve_feature_maps": feature_maps, "kldve_onnx_files": files, "kldve_method": method,
               "kldve_metric": metric}
    PLAIN_STRUCTS = ("kldve_options", "kldve_onnx_options", "kldve_render_options", "kldve_divergence_options",
                     "kldve_input_spec", "kldve_metric_subject", "kldve_metric_options")  # zeros will do
    NUMBER_TYPES = ("int32_t", "int64_t", "size_t", "ptrdiff_t", "double", "float", "kldve_status")

    def valid(self, parameter):
        """A valid value of a parameter."""
        special = self.valid_by_name(parameter)
        if special is not None:
            return special
        if parameter.is_object():
            return self.objects[parameter.base]
        if parameter.base.endswith("_fn"):
            return self.callback(parameter.base)
        if parameter.is_output():
            return self.valid_output(parameter)
        if parameter.type.startswith("const ") and parameter.base in self.STRUCTS:
            return self.STRUCTS[parameter.base](self, parameter)
        if parameter.type.startswith("const ") and parameter.base in self.PLAIN_STRUCTS:
            return self.struct(parameter.base)
        if parameter.type in ("const float *", "const double *", "const int32_t *"):
            return self.numbers(parameter.base)
        if parameter.type.endswith("*const *") and parameter.base in self.OBJECTS:
            return self.keep(self.ffi.new(parameter.base + " *[]", [self.objects[parameter.base]]))
        if parameter.type == "const uint8_t *" and parameter.name == "mask":
            return self.numbers("uint8_t")
        if parameter.type == "const float *const *":
            return self.keep(self.ffi.new("float *[]", [self.numbers("float")] * 2))
        raise Unknown(f"{parameter.function}: no valid {parameter.type} {parameter.name}")

    def members(self, parameter):
        """-> names of the pointers in a struct that a function reads"""
        if parameter.type != f"const {parameter.base} *" or parameter.base not in self.STRUCTS:
            return []
        return [name for name, field in self.ffi.typeof(parameter.base).fields
                if field.type.kind in ("pointer", "function") or
                field.type.kind == "array" and field.type.item.kind == "pointer"]

    def without(self, struct, member):
        """The struct with NULL for the member, of an array for its first element."""
        if self.ffi.typeof(getattr(struct, member)).kind == "array":
            getattr(struct, member)[0] = self.ffi.NULL
        else:
            setattr(struct, member, self.ffi.NULL)
        return struct

    def valid_output(self, parameter):
        pointee = parameter.type[:-1].strip()
        if not pointee.startswith("kldve_") or pointee.endswith("*"):
            return self.output(parameter.name, pointee, ROOM)
        made = self.output(parameter.name, pointee, 1)
        made[0].struct_size = self.ffi.sizeof(pointee)
        return made

    def valid_by_name(self, parameter):
        """The value of a parameter whose type does not tell, or None."""
        name = f"{parameter.function}.{parameter.name}"
        makers = {
            "kldve_ctx_free.ctx": self.new_ctx,
            "kldve_ctx_leave.before": lambda: self.function("kldve_ctx_enter")(
                self.objects["kldve_ctx"], self.chars("test"), 0.0),
            "kldve_ctx_release.memory": lambda: self.function("kldve_ctx_alloc")(self.objects["kldve_ctx"], 1, 64),
            "kldve_explainer_new.config": lambda: self.objects["kldve_onnx"],
            "kldve_image_save.path": lambda: self.chars(self.folder.name + "/saved.png"),
            "kldve_heatmap_save.path": lambda: self.chars(self.folder.name + "/map.png"),
            "kldve_onnx_tap_file.tapped": lambda: self.chars(self.folder.name + "/tapped.onnx"),
            "kldve_struct_load.src": lambda: self.struct("kldve_options"),
            "kldve_struct_load.dst": lambda: self.output("dst", "kldve_options", 1),
            "kldve_struct_store.src": lambda: self.struct("kldve_options"),
            "kldve_struct_store.dst": lambda: self.valid_output(Parameter("", "kldve_options *", "dst")),
        }
        if name in makers:
            return makers[name]()
        if name in self.special:
            return self.special[name]
        if parameter.base == "kldve_backend":
            return self.function("kldve_onnx_backend")()
        if parameter.type == "const char *const *":
            return self.names(parameter)
        if parameter.type == "void *" and parameter.name == "opaque":
            return self.keep(self.ffi.new("int *"))
        return self.valid_text(parameter) if parameter.base in ("char", "void") else self.valid_number(parameter)

    def valid_text(self, parameter):
        if not parameter.type.startswith("const "):
            return None
        if parameter.of(STRINGS) is not None:
            return self.chars(parameter.of(STRINGS))
        if parameter.name in ("path", "model_path"):
            return self.chars(self.file(parameter))
        if parameter.name in ("bytes", "text"):
            return self.keep(self.ffi.from_buffer(self.bytes_of(self.file(parameter))))
        return None

    def valid_number(self, parameter):
        if parameter.is_pointer():
            return None
        if parameter.name == "size":
            return self.ffi.sizeof("kldve_options")
        if parameter.name == "nbytes" and not parameter.function.startswith("kldve_ctx_"):
            return os.path.getsize(self.file(parameter))
        return parameter.of(NUMBERS)

    def parse_types(self, parameters):
        """Parse the names of their types, slowly, once and not in each child."""
        for parameter in parameters:
            kinds = [parameter.base, parameter.base + " *", parameter.base + " *[]"]
            if parameter.is_output():
                kinds.append(parameter.type[:-1].strip() + "[]")
            for kind in kinds:
                self.ffi.typeof(kind)

    # Inside of a method or metric.

    def in_method(self, function, work):
        """What work(job) returns, called from the map of a method in progress."""
        said = []

        def call(job, _):
            said.append(work(job))
            return -1
        method = self.struct("kldve_method", name=self.chars("test"), needs=63)
        if function == "kldve_job_attentions":
            method.needs = 64
        method.map = self.keep(self.ffi.callback(self.ffi.typeof(method.map), call))
        self.check(self.function("kldve_method_register")(self.objects["kldve_ctx"], method))
        explainer = self.transformer if method.needs == 64 else self.objects["kldve_explainer"]
        out = self.ffi.new("kldve_heatmap **")
        self.function("kldve_explain_input")(explainer, self.numbers("float"),
                                             self.struct("kldve_options", method=method.name), out)
        return said[0] if said else "the method was not called: " + self.message()

    def in_metric(self, work):
        """What work(job) returns, called from a metric in progress."""
        said = []

        def call(job, _):
            said.append(work(job))
            return -1
        metric = self.struct("kldve_metric", name=self.chars("test"), high=1, needs=3)
        metric.compute = self.keep(self.ffi.callback(self.ffi.typeof(metric.compute), call))
        ctx, explainer, values = (self.objects["kldve_ctx"], self.objects["kldve_explainer"], self.numbers("float"))
        self.check(self.function("kldve_metric_register")(ctx, metric))
        subject = self.struct("kldve_metric_subject", explainer=explainer, input=values)
        self.function("kldve_metric_compute")(ctx, self.objects["kldve_heatmap"], metric.name, subject,
                                              self.ffi.new("double *"))
        return said[0] if said else "the metric was not called: " + self.message()
