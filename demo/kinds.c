/* kinds.c - how each kind of object is drawn: overlapping parts.  Numbers are in the object's
 * coordinates (pen.h); pen_vary() draws what varies from object to object. */
#include "pen.h"

#include <stddef.h>

static void draw_boat(pen *p)
{
    double deck = pen_vary(p, 0.2, 0.32), keel = pen_vary(p, 0.73, 0.79),
           stern = pen_vary(p, 0.42, 0.58);
    double mast = pen_vary(p, -0.12, 0.12), top = pen_vary(p, -0.95, -0.82), boom = deck - 0.03;
    double jib = pen_vary(p, 0, 1) < 0.7 ? pen_vary(p, 0.4, 0.6) : 0;

    pen_line_to(p, mast, deck + 0.05);
    pen_line_to(p, mast, top);
    pen_line(p, 0.09, DARK, true);
    pen_line_to(p, mast, top + 0.04);
    pen_curve_to(p, mast + 0.38, top + 0.4, mast + 0.55, boom - 0.35,
                 mast + pen_vary(p, 0.58, 0.68), boom);
    pen_line_to(p, mast, boom);
    pen_end_contour(p);
    pen_part(p, MAIN);
    if (jib > 0) {
        pen_line_to(p, mast, top + 0.12);
        pen_line_to(p, mast, boom);
        pen_line_to(p, mast - jib, boom);
        pen_curve_to(p, mast - 0.4 * jib, boom - 0.3, mast - 0.1, top + 0.5, mast, top + 0.12);
        pen_end_contour(p);
        pen_part(p, ACCENT);
    }
    pen_line_to(p, -0.9, deck);
    pen_line_to(p, 0.9, deck);
    pen_curve_to(p, 0.82, deck + 0.25, 0.66, keel, stern, keel);
    pen_line_to(p, -stern, keel);
    pen_curve_to(p, -0.7, keel, -0.84, deck + 0.25, -0.9, deck);
    pen_end_contour(p);
    pen_part(p, SECOND);
    pen_box(p, -0.8, deck + 0.1, 0.8, deck + 0.18);
    pen_detail(p, ACCENT);
}

static void draw_car(pen *p)
{
    double roof = pen_vary(p, -0.5, -0.36), waist = pen_vary(p, -0.1, -0.02),
           sill = pen_vary(p, 0.28, 0.34);
    double front = pen_vary(p, 0.52, 0.66), wheel = pen_vary(p, 0.19, 0.24), hub = wheel * 0.5;
    double left = pen_vary(p, -0.58, -0.48), right = pen_vary(p, 0.46, 0.56);

    pen_line_to(p, -0.76, waist);
    pen_curve_to(p, -0.68, roof, -0.56, roof, -0.38, roof);
    pen_line_to(p, 0.12, roof);
    pen_curve_to(p, 0.3, roof, 0.4, waist - 0.2, front, waist + 0.02);
    pen_line_to(p, front, waist + 0.2);
    pen_line_to(p, -0.76, waist + 0.2);
    pen_end_contour(p);
    pen_part(p, MAIN);
    pen_line_to(p, -0.92, waist + 0.05);
    pen_line_to(p, front - 0.1, waist - 0.01);
    pen_curve_to(p, 0.85, waist + 0.03, 0.95, waist + 0.12, 0.95, sill - 0.1);
    pen_line_to(p, 0.94, sill);
    pen_line_to(p, -0.93, sill);
    pen_end_contour(p);
    pen_part(p, MAIN);
    pen_line_to(p, -0.6, waist - 0.02);
    pen_curve_to(p, -0.56, roof + 0.1, -0.5, roof + 0.09, -0.4, roof + 0.09);
    pen_line_to(p, -0.2, roof + 0.09);
    pen_line_to(p, -0.2, waist - 0.02);
    pen_end_contour(p);
    pen_line_to(p, -0.1, waist - 0.02);
    pen_line_to(p, -0.1, roof + 0.09);
    pen_line_to(p, 0.1, roof + 0.09);
    pen_curve_to(p, 0.22, roof + 0.1, 0.28, waist - 0.15, 0.38, waist - 0.02);
    pen_end_contour(p);
    pen_detail(p, ACCENT);
    pen_box(p, -0.9, sill - 0.1, 0.92, sill - 0.03);
    pen_detail(p, SECOND);
    pen_disc(p, left, sill + 0.03, wheel);
    pen_disc(p, right, sill + 0.03, wheel);
    pen_part(p, DARK);
    pen_disc(p, left, sill + 0.03, hub);
    pen_disc(p, right, sill + 0.03, hub);
    pen_disc(p, 0.86, waist + 0.18, 0.06);
    pen_detail(p, ACCENT);
}

static void draw_cat(pen *p)
{
    double wide = pen_vary(p, 0.72, 0.8), high = pen_vary(p, 0.58, 0.66),
           eye = pen_vary(p, 0.12, 0.16);
    double ear = pen_vary(p, 0.6, 0.68), tip = pen_vary(p, -0.72, -0.66);

    for (int side = -1; side <= 1; side += 2) {
        const double outer[][2] = {{side * 0.72, 0.2}, {side * ear, tip}, {side * 0.1, -0.3}};
        const double inner[][2] = {
            {side * 0.6, -0.12}, {side * (ear - 0.06), tip + 0.2}, {side * 0.28, -0.28}};

        pen_polygon(p, 3, outer);
        pen_part(p, MAIN);
        pen_polygon(p, 3, inner);
        pen_detail(p, SECOND);
    }
    pen_ellipse(p, 0, 0.2, wide, high, 0);
    pen_part(p, MAIN);
    for (int i = -1; i <= 1; i++) { /* stripes of the forehead */
        pen_line_to(p, 0.17 * i, -0.36 + 0.03 * i * i);
        pen_line_to(p, 0.11 * i, -0.14 + 0.02 * i * i);
        pen_line(p, 0.07, SECOND, false);
    }
    pen_ellipse(p, -0.16, 0.5, 0.22, 0.18, 0);
    pen_ellipse(p, 0.16, 0.5, 0.22, 0.18, 0);
    pen_detail(p, SECOND);
    for (int side = -1; side <= 1; side += 2) {
        pen_ellipse(p, side * 0.32, 0.1, eye, eye * 1.15, 0);
        pen_detail(p, ACCENT);
        pen_ellipse(p, side * 0.32, 0.1, eye * 0.45, eye * 0.95, 0);
        pen_detail(p, DARK);
        for (int i = 0; i < 2; i++) {
            pen_line_to(p, side * 0.3, 0.46 + 0.08 * i);
            pen_line_to(p, side * 0.64, 0.36 + 0.17 * i);
            pen_line(p, 0.025, DARK, false);
        }
    }
    pen_line_to(p, -0.1, 0.33);
    pen_line_to(p, 0.1, 0.33);
    pen_line_to(p, 0, 0.45);
    pen_end_contour(p);
    pen_detail(p, DARK);
    pen_line_to(p, -0.16, 0.53);
    pen_curve_to(p, -0.1, 0.62, -0.02, 0.62, 0, 0.46);
    pen_curve_to(p, 0.02, 0.62, 0.1, 0.62, 0.16, 0.53);
    pen_line(p, 0.035, DARK, false);
}

static void draw_fish(pen *p)
{
    double fat = pen_vary(p, 0.42, 0.56), joint = pen_vary(p, 0.42, 0.5),
           tail = pen_vary(p, 0.34, 0.44);
    int stripes = (int)pen_vary(p, 0, 3.99);

    pen_line_to(p, joint - 0.12, 0);
    pen_curve_to(p, 0.6, -0.1, 0.75, -tail, 0.88, -tail);
    pen_curve_to(p, 0.76, -0.15, 0.76, 0.15, 0.88, tail);
    pen_curve_to(p, 0.75, tail, 0.6, 0.1, joint - 0.12, 0);
    pen_end_contour(p);
    pen_part(p, SECOND);
    pen_line_to(p, -0.42, -fat * 0.6);
    pen_curve_to(p, -0.2, -fat - 0.32, 0.1, -fat - 0.2, 0.28, -fat * 0.35);
    pen_line_to(p, 0, 0);
    pen_end_contour(p);
    pen_line_to(p, -0.1, fat * 0.55);
    pen_curve_to(p, 0, fat + 0.22, 0.16, fat + 0.2, 0.24, fat * 0.35);
    pen_line_to(p, 0, 0);
    pen_end_contour(p);
    pen_part(p, SECOND);
    pen_line_to(p, -0.94, 0.02);
    pen_curve_to(p, -0.7, -fat * 1.25, 0.05, -fat * 1.35, joint + 0.1, -0.1);
    pen_line_to(p, joint + 0.1, 0.1);
    pen_curve_to(p, 0.05, fat * 1.35, -0.7, fat * 1.25, -0.94, 0.02);
    pen_end_contour(p);
    pen_part(p, MAIN);
    for (int i = 0; i < stripes; i++) {
        double x = -0.18 + 0.22 * i, half = fat * (0.72 - 0.24 * i);

        pen_line_to(p, x, -half);
        pen_curve_to(p, x + 0.1, -half * 0.4, x + 0.1, half * 0.4, x, half);
        pen_line(p, 0.08, ACCENT, false);
    }
    pen_line_to(p, -0.42, -fat * 0.6);
    pen_curve_to(p, -0.32, -0.2, -0.32, 0.2, -0.42, fat * 0.6);
    pen_line(p, 0.04, DARK, false);
    pen_disc(p, -0.62, -0.1, 0.11);
    pen_detail(p, ACCENT);
    pen_disc(p, -0.63, -0.1, 0.06);
    pen_detail(p, DARK);
    pen_line_to(p, -0.9, 0.08);
    pen_line_to(p, -0.7, 0.14);
    pen_line(p, 0.035, DARK, false);
}

static void draw_flower(pen *p)
{
    int petals = 5 + (int)pen_vary(p, 0, 3.99);
    double head = pen_vary(p, -0.38, -0.34), reach = pen_vary(p, 0.33, 0.36),
           offset = pen_vary(p, 0, 1);
    double width = pen_vary(p, 0.95, 1.15) * 2.6 * reach / petals, core = pen_vary(p, 0.17, 0.22);
    double bend = pen_vary(p, -0.15, 0.15);

    pen_line_to(p, 0, head);
    pen_curve_to(p, bend, 0, bend, 0.4, 0, 0.9);
    pen_line(p, 0.15, SECOND, true);
    for (int side = -1; side <= 1; side += 2) {
        double y = pen_vary(p, 0.62, 0.8), tip = pen_vary(p, 0.38, 0.5);

        pen_line_to(p, 0, y);
        pen_curve_to(p, side * 0.1, y - 0.32, side * tip * 0.7, y - 0.42, side * tip, y - 0.4);
        pen_curve_to(p, side * tip, y - 0.15, side * 0.3, y, 0, y);
        pen_end_contour(p);
        pen_part(p, SECOND);
    }
    for (int i = 0; i < petals; i++) {
        double turn = offset + (double)i / petals;

        pen_ellipse(p, reach * scenes_cosine(turn), head + reach * scenes_sine(turn), 0.26, width,
                    turn);
    }
    pen_disc(p, 0, head, reach);
    pen_part(p, MAIN);
    pen_disc(p, 0, head, core + 0.05);
    pen_detail(p, DARK);
    pen_disc(p, 0, head, core);
    pen_detail(p, ACCENT);
}

static void draw_house(pen *p)
{
    double wall = pen_vary(p, 0.52, 0.62), eaves = pen_vary(p, -0.14, 0.02),
           ridge = pen_vary(p, -0.9, -0.72);
    double ground = pen_vary(p, 0.66, 0.74), over = wall + pen_vary(p, 0.1, 0.2);
    double door = pen_vary(p, -0.3, 0.3), stack = pen_vary(p, 0.28, 0.4),
           flat = pen_vary(p, 0, 0.3);
    const double roof[][2] = {{-over, eaves}, {-flat, ridge}, {flat, ridge}, {over, eaves}};
    double spare = door < 0 ? 1 : -1; /* the side with more wall */

    pen_box(p, stack - 0.09, ridge + 0.06, stack + 0.09, eaves - 0.05);
    pen_part(p, DARK);
    pen_box(p, -wall, eaves - 0.04, wall, ground);
    pen_part(p, MAIN);
    pen_polygon(p, 4, roof);
    pen_part(p, SECOND);
    pen_box(p, door - 0.14, ground - 0.46, door + 0.14, ground);
    pen_detail(p, DARK);
    pen_box(p, door + spare * 0.46 - 0.15, eaves + 0.15, door + spare * 0.46 + 0.15, eaves + 0.42);
    pen_detail(p, ACCENT);
    pen_line_to(p, door + spare * 0.46, eaves + 0.15);
    pen_line_to(p, door + spare * 0.46, eaves + 0.42);
    pen_line(p, 0.04, DARK, false);
    pen_line_to(p, door + spare * 0.46 - 0.15, eaves + 0.285);
    pen_line_to(p, door + spare * 0.46 + 0.15, eaves + 0.285);
    pen_line(p, 0.04, DARK, false);
    pen_disc(p, 0, 0.45 * ridge + 0.55 * eaves, 0.11);
    pen_detail(p, ACCENT);
}

static void draw_mug(pen *p)
{
    double left = -0.7, right = pen_vary(p, 0.3, 0.4), top = pen_vary(p, -0.62, -0.52);
    double bottom = pen_vary(p, 0.52, 0.64), taper = pen_vary(p, 0, 0.14),
           rim = pen_vary(p, 0.1, 0.15);
    double middle = (left + right) / 2, half = (right - left) / 2, loop = pen_vary(p, 0.27, 0.33);
    int pattern = (int)pen_vary(p, 0, 2.99);

    pen_arc(p, right - 0.03, 0, loop * 1.1, loop, -0.29, 0.29);
    pen_line(p, 0.15, SECOND, true);
    pen_line_to(p, left, top);
    pen_line_to(p, left + taper, bottom);
    pen_curve_to(p, left + taper + 0.1, bottom + rim * 1.4, right - taper - 0.1, bottom + rim * 1.4,
                 right - taper, bottom);
    pen_line_to(p, right, top);
    pen_end_contour(p);
    pen_ellipse(p, middle, top, half, rim, 0);
    pen_part(p, MAIN);
    pen_ellipse(p, middle, top, half * 0.86, rim * 0.7, 0);
    pen_detail(p, DARK);
    if (pattern == 0) {
        pen_box(p, left + 0.6 * taper + 0.03, 0.05, right - 0.6 * taper - 0.03, 0.25);
        pen_detail(p, ACCENT);
    } else if (pattern == 1) {
        pen_disc(p, middle - 0.22, 0, 0.12);
        pen_disc(p, middle + 0.22, 0, 0.12);
        pen_disc(p, middle, 0.3, 0.12);
        pen_detail(p, ACCENT);
    } else { /* a heart */
        pen_line_to(p, middle, 0.36);
        pen_curve_to(p, middle - 0.5, 0, middle - 0.2, -0.32, middle, -0.04);
        pen_curve_to(p, middle + 0.2, -0.32, middle + 0.5, 0, middle, 0.36);
        pen_end_contour(p);
        pen_detail(p, ACCENT);
    }
}

static void draw_mushroom(pen *p)
{
    double edge = pen_vary(p, 0.0, 0.16), crown = pen_vary(p, -0.86, -0.66),
           belly = pen_vary(p, 0.06, 0.18);
    double neck = pen_vary(p, 0.2, 0.27), foot = pen_vary(p, 0.26, 0.38),
           ground = pen_vary(p, 0.78, 0.86);

    pen_line_to(p, -neck, edge - 0.05);
    pen_curve_to(p, -neck, 0.4, -foot, 0.5, -foot, ground - 0.08);
    pen_curve_to(p, -foot, ground + 0.05, foot, ground + 0.05, foot, ground - 0.08);
    pen_curve_to(p, foot, 0.5, neck, 0.4, neck, edge - 0.05);
    pen_end_contour(p);
    pen_part(p, SECOND);
    pen_line_to(p, -0.92, edge);
    pen_curve_to(p, -0.88, crown - 0.22, 0.88, crown - 0.22, 0.92, edge);
    pen_curve_to(p, 0.8, edge + belly, -0.8, edge + belly, -0.92, edge);
    pen_end_contour(p);
    pen_part(p, MAIN);
    for (int i = 0; i < 4; i++) { /* spots */
        static const double at[4][2] = {{-0.47, -0.18}, {0, 0.58}, {0.45, -0.21}, {0.05, -0.1}};
        static const double r[4][2] = {{0.12, 0.1}, {0.16, 0.12}, {0.13, 0.11}, {0.08, 0.08}};
        double x = at[i][0] + pen_vary(p, -0.08, 0.08);
        double y = (i == 1 ? at[i][1] * crown : edge + at[i][1]) + pen_vary(p, -0.05, 0.05);

        pen_ellipse(p, x, y, r[i][0], r[i][1], 0);
    }
    pen_detail(p, ACCENT);
}

static void draw_tree(pen *p)
{
    double trunk = pen_vary(p, 0.1, 0.15);
    bool fir = pen_vary(p, 0, 1) < 0.4;
    const double wood[][2] = {
        {-trunk, 0.1}, {trunk, 0.1}, {trunk * 1.5, 0.92}, {-trunk * 1.5, 0.92}};

    pen_polygon(p, 4, wood);
    pen_part(p, SECOND);
    if (fir) {
        double wide = pen_vary(p, 0.52, 0.68);

        for (int i = 2; i >= 0; i--) {
            double half = wide * (0.5 + 0.25 * i), top = -0.95 + 0.38 * i;
            const double tier[][2] = {{0, top}, {half, top + 0.68}, {-half, top + 0.68}};

            pen_polygon(p, 3, tier);
        }
    } else {
        double spread = pen_vary(p, 0.32, 0.4), round = pen_vary(p, 0.32, 0.38);

        for (int i = 0; i < 6; i++) {
            double turn = i / 6.0 + pen_vary(p, -0.03, 0.03);

            pen_disc(p, spread * 1.1 * scenes_cosine(turn),
                     -0.26 + spread * 0.85 * scenes_sine(turn), round * pen_vary(p, 0.85, 1));
        }
        pen_disc(p, 0, -0.26, 0.42);
    }
    pen_part(p, MAIN);
    for (int i = 0; i < 4; i++) { /* fruit or lights */
        double y = -0.55 + 0.2 * i;

        pen_disc(p, pen_vary(p, -0.24, 0.24) * (fir ? 0.4 + 0.2 * i : 1.3), y, 0.07);
    }
    pen_detail(p, ACCENT);
}

static void draw_umbrella(pen *p)
{
    double edge = pen_vary(p, 0.1, 0.2), crown = pen_vary(p, -0.8, -0.68),
           wide = pen_vary(p, 0.88, 0.94);
    double end = pen_vary(p, 0.6, 0.67);
    int ribs = 4 + (int)pen_vary(p, 0, 2.99);

    pen_line_to(p, 0, crown - 0.12);
    pen_line_to(p, 0, end);
    pen_arc(p, 0.17, end, 0.17, 0.18, 0.5, 0);
    pen_line(p, 0.14, DARK, true);
    for (int i = -1; i < ribs; i++) { /* the whole canopy, then every other panel */
        double from = i < 0 ? -wide : wide * (2.0 * i / ribs - 1);
        double to = i < 0 ? wide : wide * (2.0 * (i + 1) / ribs - 1);
        double rise = 1.34 * (crown - edge);

        if (i >= 0 && i % 2 == 0)
            continue;
        pen_line_to(p, from, edge);
        pen_curve_to(p, from, edge + rise * 0.5, from * 0.55, crown, 0, crown);
        pen_curve_to(p, to * 0.55, crown, to, edge + rise * 0.5, to, edge);
        for (int k = i < 0 ? ribs - 1 : i; k >= (i < 0 ? 0 : i); k--) {
            double left = wide * (2.0 * k / ribs - 1), right = wide * (2.0 * (k + 1) / ribs - 1);

            pen_curve_to(p, right - wide / ribs * 0.5, edge - 0.08, left + wide / ribs * 0.5,
                         edge - 0.08, left, edge);
        }
        pen_end_contour(p);
        if (i < 0)
            pen_part(p, MAIN);
        else
            pen_detail(p, SECOND);
    }
}

static const struct {
    const char *name;
    void (*draw)(pen *p);
} kinds[SCENES_KINDS] = {
    [SCENES_BOAT] = {"boat", draw_boat},       [SCENES_CAR] = {"car", draw_car},
    [SCENES_CAT] = {"cat", draw_cat},          [SCENES_FISH] = {"fish", draw_fish},
    [SCENES_FLOWER] = {"flower", draw_flower}, [SCENES_HOUSE] = {"house", draw_house},
    [SCENES_MUG] = {"mug", draw_mug},          [SCENES_MUSHROOM] = {"mushroom", draw_mushroom},
    [SCENES_TREE] = {"tree", draw_tree},       [SCENES_UMBRELLA] = {"umbrella", draw_umbrella},
};

const char *scenes_kind_name(int32_t kind)
{
    return kind >= 0 && kind < SCENES_KINDS ? kinds[kind].name : NULL;
}

void scenes_draw_kind(pen *p, int32_t kind)
{
    kinds[kind].draw(p);
}
