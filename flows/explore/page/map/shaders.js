/** The two programs that draw a map's points on the graphics card. */

export const VERTEX = `#version 300 es
precision highp float;
in vec2 a_from;
in vec2 a_to;
in uint a_before;
in uint a_code;
in uint a_layer;
uniform vec2 u_middle;
uniform vec2 u_scale;
uniform float u_time;
uniform float u_size;
uniform float u_alpha;
uniform sampler2D u_palette;
out vec4 v_colour;
flat out float v_size;
flat out float v_ring;

void main() {
  vec2 place = mix(a_from, a_to, u_time);
  gl_Position = vec4((place - u_middle) * u_scale, 0.0, 1.0);
  vec4 colour = mix(
    texelFetch(u_palette, ivec2(int(a_before), 0), 0),
    texelFetch(u_palette, ivec2(int(a_code), 0), 0),
    u_time);
  float alpha = a_layer == 0u ? 0.13 * u_alpha : a_layer == 1u ? u_alpha : 1.0;
  float wider = a_layer == 0u ? 0.85 : a_layer == 1u ? 1.0 : a_layer == 2u ? 1.3 : 1.45;
  v_colour = vec4(colour.rgb, alpha);
  v_size = u_size * wider;
  v_ring = a_layer >= 2u ? 1.0 : 0.0;
  gl_PointSize = v_size;
}`;

export const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 v_colour;
flat in float v_size;
flat in float v_ring;
uniform vec3 u_edge;
out vec4 drawn;

void main() {
  float radius = v_size * 0.5;
  float away = length(gl_PointCoord - 0.5) * v_size;
  float inside = v_size < 2.5 ? 1.0 : clamp(radius - away, 0.0, 1.0);
  float edge = v_ring * step(5.0, v_size) * clamp(away - radius + 2.0, 0.0, 1.0);
  vec3 colour = mix(v_colour.rgb, u_edge, edge);
  float alpha = v_colour.a * inside;
  drawn = vec4(colour * alpha, alpha);
}`;
